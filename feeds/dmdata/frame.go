package dmdata

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"

	"yagura/feeds/jma"
	"yagura/store/desk"
)

// number is an Integer or a String<Integer> of the API: the reference says that ids may turn from the one into the other.
type number string

// UnmarshalJSON takes the digits of either form and leaves anything else empty.
func (n *number) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	*n = ""
	if len(text) <= 20 && strings.Trim(text, "0123456789") == "" {
		*n = number(text)
	}
	return nil
}

// frame is one message of the WebSocket; which fields are filled depends on Type: start, ping, pong, data, error.
type frame struct {
	Type string `json:"type"`

	SocketID number `json:"socketId"` // start
	PingID   string `json:"pingId"`   // ping, pong

	ID             string `json:"id"` // data: SHA-384 of the encoded body, in hex
	OriginalID     string `json:"originalId"`
	Classification string `json:"classification"`
	Format         string `json:"format"`
	Compression    string `json:"compression"`
	Encoding       string `json:"encoding"`
	Body           string `json:"body"`
	Head           struct {
		Type string `json:"type"`
	} `json:"head"`

	Message string `json:"error"` // error
	Code    number `json:"code"`
	Close   bool   `json:"close"`
}

const opFrame = "dmdata.frame"

func decodeFrame(raw []byte) (frame, error) {
	var f frame
	if err := json.Unmarshal(raw, &f); err != nil {
		return frame{}, &desk.Error{Kind: desk.Invalid, Op: opFrame, Msg: "DMDATAのフレームがJSONとして読めません。"}
	}
	if f.Type == "" {
		return frame{}, desk.Errorf(desk.Invalid, opFrame, "DMDATAのフレームに種類（type）がありません。")
	}
	return f, nil
}

// key is what the same telegram has in common on both sockets and in the list: a JSON conversion has an id of its own.
func (f *frame) key() string {
	if f.OriginalID != "" {
		return f.OriginalID
	}
	return f.ID
}

// nameOf is the name of an envelope: the data type code before the id, because the XML does not tell it where kinds share a title
// (VYSE51 and 52, the slots of VPTW and VXKO) and jma.TypeOf takes it from the name.
func nameOf(kind, id string) string {
	id = desk.CleanText(id[:min(len(id), 128)], false)
	if len(kind) < 4 || len(kind) > 8 || strings.Trim(kind, "ABCDEFGHIJKLMNOPQRSTUVWXYZi0123456789") != "" {
		return id
	}
	return kind + "_" + id
}

// telegram is the body as JMA wrote it. The bound holds while it is unpacked, so a bomb costs no more than a large telegram.
func (f *frame) telegram() ([]byte, error) {
	packed, err := f.encoded()
	if err != nil {
		return nil, err
	}
	raw, err := unpack(packed, f.Compression)
	switch {
	case err != nil:
		return nil, err
	case len(bytes.TrimSpace(raw)) == 0:
		return nil, desk.Errorf(desk.Invalid, opFrame, "DMDATAの電文の本文が空です。")
	case len(raw) > jma.MaxBytes:
		return nil, tooLarge()
	}
	return raw, nil
}

func (f *frame) encoded() ([]byte, error) {
	switch f.Encoding {
	case "base64":
		b, err := base64.StdEncoding.DecodeString(f.Body)
		if err != nil {
			return nil, desk.Errorf(desk.Invalid, opFrame, "DMDATAの電文の本文がbase64として読めません。")
		}
		return b, nil
	case "utf-8", "":
		return []byte(f.Body), nil
	}
	return nil, desk.Errorf(desk.Invalid, opFrame, "DMDATAの電文の符号化方式が分かりません。")
}

// altered reports that the body is not the one the id was made of. Ids of another form (older fixtures) cannot be checked.
func (f *frame) altered() bool {
	want, err := hex.DecodeString(f.ID)
	if err != nil || len(want) != sha512.Size384 {
		return false
	}
	packed, err := f.encoded()
	sum := sha512.Sum384(packed)
	return err == nil && !bytes.Equal(want, sum[:])
}

func tooLarge() error {
	return desk.Errorf(desk.Invalid, opFrame, "DMDATAの電文が大きすぎます（上限は%dバイト）。", jma.MaxBytes)
}

func unpack(packed []byte, compression string) ([]byte, error) {
	broken := desk.Errorf(desk.Invalid, opFrame, "DMDATAの電文の圧縮が壊れています。")
	var r io.Reader
	switch compression {
	case "":
		return packed, nil
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, broken
		}
		r = z
	case "zip":
		z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
		if err != nil || len(z.File) != 1 {
			return nil, broken
		}
		file, err := z.File[0].Open()
		if err != nil {
			return nil, broken
		}
		defer file.Close()
		r = file
	default:
		return nil, desk.Errorf(desk.Invalid, opFrame, "DMDATAの電文の圧縮方式が分かりません。")
	}
	raw, err := io.ReadAll(io.LimitReader(r, jma.MaxBytes+1))
	switch {
	case err != nil:
		return nil, broken
	case len(raw) > jma.MaxBytes:
		return nil, tooLarge()
	}
	return raw, nil
}
