package dmdata

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/coder/websocket"

	"yagura/store/desk"
)

// action is what a socket does after it ended. Every new connection takes a new ticket: a ticket is good for one attempt.
type action int

const (
	backOff   action = iota // connect again after the growing pause
	atOnce                  // connect again after the jitter alone; if that fails too, with the growing pause
	freeSlots               // close stale sockets of our own name, then as backOff
	rest                    // only a person can mend it: say so, and try again after the long pause
)

// ending is how a socket ended: what to do, and one sentence for the desk.
type ending struct {
	do     action
	reason string
}

// endings is the table of error codes, of error frames and of close codes alike (DMDATA.JP WebSocket v2; feeds.md 3.1).
func endingOf(code int) (ending, bool) {
	switch code {
	case 4400:
		return ending{rest, "接続の設定が受け付けられません（4400）。配信区分とデータ種類を確かめてください。"}, true
	case 4404:
		return ending{atOnce, "接続チケットが無効でした（4404）。取り直します。"}, true
	case 4409:
		return ending{freeSlots, "同時接続数の上限です（4409）。残った接続を閉じて待ちます。"}, true
	case 4503:
		return ending{atOnce, "配信サーバーが再起動しました（4503）。"}, true
	case 4640:
		return ending{backOff, "応答確認の番号が合いませんでした（4640）。"}, true
	case 4641:
		return ending{backOff, "送った内容が受け付けられませんでした（4641）。"}, true
	case 4807:
		return ending{rest, "契約している配信区分がなくなりました（4807）。契約を確かめてください。"}, true
	case 4808:
		return ending{rest, "管理画面などから接続が閉じられました（4808）。"}, true
	case 4891:
		return ending{atOnce, "応答確認が間に合いませんでした（4891）。"}, true
	}
	if code >= 4000 && code < 5000 {
		return ending{backOff, "配信元が接続を閉じました（" + strconv.Itoa(code) + "）。"}, true
	}
	return ending{}, false
}

// statusError is an answer of the HTTP API that is not a success. It holds no address and no key.
type statusError struct{ status int }

func (e *statusError) Error() string { return "DMDATA API: HTTP " + strconv.Itoa(e.status) }

// endingOfStatus is the same table for the ticket request and the handshake.
func endingOfStatus(status int) ending {
	switch status {
	case http.StatusBadRequest:
		return ending{rest, "接続の設定が受け付けられません（HTTP 400）。配信区分とデータ種類を確かめてください。"}
	case http.StatusUnauthorized, http.StatusForbidden:
		return ending{rest, "APIキーが受け付けられません（HTTP " + strconv.Itoa(status) + "）。キーと権限を確かめてください。"}
	case http.StatusPaymentRequired:
		return ending{rest, "有効な契約がありません（HTTP 402）。契約を確かめてください。"}
	case http.StatusConflict:
		return ending{freeSlots, "同時接続数の上限です（HTTP 409）。残った接続を閉じて待ちます。"}
	case http.StatusTooManyRequests:
		return ending{backOff, "要求が多すぎると断られました（HTTP 429）。間隔を空けます。"}
	}
	return ending{backOff, "配信元が応答しません（HTTP " + strconv.Itoa(status) + "）。"}
}

// endingOfError says how a socket ended by the error of a request, a handshake or a read.
func endingOfError(err error) ending {
	var status *statusError
	if errors.As(err, &status) {
		return endingOfStatus(status.status)
	}
	var no refused
	if errors.As(err, &no) {
		return no.end
	}
	if end, known := endingOf(int(websocket.CloseStatus(err))); known {
		return end
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return ending{backOff, "応答がないので接続を切りました。"}
	case errors.Is(err, websocket.ErrMessageTooBig):
		return ending{backOff, "大きすぎるフレームが届いたので接続を切りました。"}
	}
	return ending{backOff, "接続が切れました。"}
}

// scrub takes the address out of an error: the address of a WebSocket carries the ticket.
func scrub(op string, err error) error {
	var foreign *url.Error
	if errors.As(err, &foreign) {
		err = foreign.Err
	}
	return &desk.Error{Kind: desk.Unavailable, Op: op, Msg: "DMDATAにつながりません。", Err: err}
}
