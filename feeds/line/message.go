package line

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
	"unicode"

	"yagura/feeds"
	"yagura/feeds/jma"
	"yagura/store/desk"
)

const nameRunes = 120 // of a name that is kept for people

// message is a telegram in a JSON wrapper, in the manner of DMDATA's data frames (feeds.md 3.1).
type message struct {
	Name        string  `json:"name"`
	ID          string  `json:"id"`
	Type        string  `json:"type"`
	Encoding    string  `json:"encoding"`    // base64, utf-8 or nothing
	Compression string  `json:"compression"` // gzip, zip or nothing
	Body        *string `json:"body"`
	Head        struct {
		Type string `json:"type"`
	} `json:"head"`
}

// unpack takes the telegram out of a JSON wrapper. Anything else, and a wrapper that cannot be undone, is the telegram itself: it
// is stored and shown, not sent back to a machine nobody reads (law 1). name is what the sender calls it, safe to show.
func unpack(raw []byte) (name string, telegram []byte) {
	text := bytes.TrimSpace(feeds.TrimBOM(raw))
	var m message
	if !bytes.HasPrefix(text, []byte("{")) || json.Unmarshal(text, &m) != nil || m.Body == nil {
		return "", raw
	}
	name = m.label()
	body, err := m.open()
	if err != nil || len(body) == 0 {
		return name, raw
	}
	return name, body
}

// label joins the name with the data type code, which the reader of telegrams takes as a hint.
func (m *message) label() string {
	name, code := m.Name, m.Type
	if name == "" {
		name = m.ID
	}
	if m.Head.Type != "" { // in a data frame of DMDATA, type is the sort of frame
		code = m.Head.Type
	}
	if code != "" && !strings.Contains(name, code) {
		name = strings.Trim(code+"_"+name, "_")
	}
	return showable(name)
}

// showable keeps a foreign name short and without characters that would move a cursor.
func showable(name string) string {
	out := make([]rune, 0, nameRunes)
	for _, r := range strings.ToValidUTF8(name, "") {
		if len(out) == nameRunes {
			break
		}
		if unicode.IsGraphic(r) {
			out = append(out, r)
		}
	}
	return string(out)
}

func (m *message) open() ([]byte, error) {
	body := []byte(*m.Body)
	switch m.Encoding {
	case "", "utf-8":
	case "base64":
		var err error
		if body, err = base64.StdEncoding.DecodeString(*m.Body); err != nil {
			return nil, err
		}
	default:
		return nil, desk.Errorf(desk.Invalid, "line.open", "符号化方式が分かりません。")
	}
	switch m.Compression {
	case "":
		return body, nil
	case "gzip":
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return readAtMost(r)
	case "zip":
		return unzip(body)
	}
	return nil, desk.Errorf(desk.Invalid, "line.open", "圧縮方式が分かりません。")
}

func unzip(body []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, err
	}
	if len(z.File) != 1 {
		return nil, desk.Errorf(desk.Invalid, "line.open", "zipの中の電文が一つではありません。")
	}
	r, err := z.File[0].Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readAtMost(r)
}

// readAtMost refuses what grows beyond a telegram: a few kilobytes can unpack to gigabytes.
func readAtMost(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, jma.MaxBytes+1))
	if err == nil && len(body) > jma.MaxBytes {
		return nil, desk.Errorf(desk.Invalid, "line.open", "展開すると大きすぎます。")
	}
	return body, err
}
