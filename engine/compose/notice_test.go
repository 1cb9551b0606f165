package compose_test

import (
	"strings"
	"testing"

	"yagura/engine/compose"
	"yagura/store/desk"
)

var notice = desk.Letter{
	DispatchID: 13, Mode: desk.Live, Bulletin: true, Subject: "【地震速報】石川県能登地方 最大震度7（16:10頃）",
	Body: "【地震速報】石川県能登地方 最大震度7（16:10頃）\n\n発生時刻　16:10頃\n\n■震度7\n石川県\n",
}

// TestANoticeAsksForNoAnswer: no link, the news in the first line, and the same bytes whatever token comes with it. // F3-1-l
func TestANoticeAsksForNoAnswer(t *testing.T) {
	raw := composed(t, notice, opts, "taro@docomo.example", token)
	h, body := parse(t, raw)
	if subject, err := h.Subject(); err != nil || subject != notice.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	first, _, _ := strings.Cut(body, "\r\n")
	if first != notice.Subject || !strings.Contains(body, "■震度7\r\n石川県\r\n") || !strings.HasSuffix(body, "返信や回答は要りません。\r\nThis is an automatic notice. No reply is needed.\r\n") {
		t.Errorf("body\n%s", body)
	}
	for _, never := range []string{opts.LinkBase, token, "安否", "下のリンク", "訓練", "試験"} {
		if strings.Contains(body, never) {
			t.Errorf("the notice holds %q", never)
		}
	}
	if other := composed(t, notice, opts, "taro@docomo.example", strings.Repeat("x", 36)); string(other) != string(raw) {
		t.Error("the token changes the bytes")
	}
	if again := composed(t, notice, opts, "taro@docomo.example", token); string(again) != string(raw) {
		t.Error("a second try has other bytes")
	}
}

// TestANoticeOfADrillSaysSo, although none is ever sent. // law 4
func TestANoticeOfADrillSaysSo(t *testing.T) {
	for mode, words := range map[desk.Mode]string{desk.Drill: "これは訓練です", desk.Test: "これは試験です", "": "これは訓練です"} {
		l := notice
		l.Mode = mode
		h, body := parse(t, composed(t, l, opts, "taro@docomo.example", token))
		subject, err := h.Subject()
		if err != nil || !strings.HasPrefix(subject, compose.Stamp(mode)) || !strings.HasPrefix(body, compose.Stamp(mode)) || !strings.Contains(body, words) || compose.Stamp(mode) == "" {
			t.Errorf("%q: %q\n%s", mode, subject, body)
		}
	}
}

func TestANoticeIsCheckedAsALetterIs(t *testing.T) {
	for name, change := range map[string]func(*desk.Letter){
		"a line break in the subject": func(l *desk.Letter) { l.Subject += "\r\nBcc: x@y.example" },
		"a control character":         func(l *desk.Letter) { l.Body += "\x07" },
		"an endless body":             func(l *desk.Letter) { l.Body = strings.Repeat("長", 7000) },
	} {
		l := notice
		change(&l)
		if _, err := compose.New(l, opts); desk.KindOf(err) != desk.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
