package compose

import (
	"strings"
	"unicode/utf8"

	"yagura/store/desk"
)

func check(letter desk.Letter, opts Options) error {
	const op = "compose.New"
	switch {
	case !oneLine(letter.Subject) || strings.TrimSpace(letter.Subject) == "":
		return desk.Errorf(desk.Invalid, op, "件名は一行で書いてください。")
	case utf8.RuneCountInString(letter.Subject) > maxSubject:
		return desk.Errorf(desk.Invalid, op, "件名は %d 文字までです。", maxSubject)
	case !manyLines(letter.Body) || len(letter.Body) > maxBody:
		return desk.Errorf(desk.Invalid, op, "本文に使えない文字があるか、長すぎます（%d バイトまで）。", maxBody)
	case !mailbox(opts.From) || !oneLine(opts.FromName) || utf8.RuneCountInString(opts.FromName) > 60:
		return desk.Errorf(desk.Invalid, op, "差出人の形が正しくありません。")
	case !hostName(opts.MessageIDHost):
		return desk.Errorf(desk.Invalid, op, "Message-ID のホスト名が正しくありません。")
	case opts.ReturnPath != "" && !mailbox(strings.Replace(opts.ReturnPath, "{id}", "1", 1)):
		return desk.Errorf(desk.Invalid, op, "封筒の差出人の形が正しくありません。")
	case !link(opts.LinkBase):
		return desk.Errorf(desk.Invalid, op, "回答リンクの前半は https:// で始まり / で終わる、%d 文字までの英数字です。", maxLink-desk.TokenLength-1)
	}
	return nil
}

func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || (r >= 0x7f && r < 0xa0) || r == 0x2028 || r == 0x2029
	})
}

func manyLines(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < ' ' && r != '\n' && r != '\r' && r != '\t') || (r >= 0x7f && r < 0xa0)
	})
}

// mailbox accepts what desk.AddressKey.Seal accepts: printable ASCII with a local part and a domain; the local part may be
// any of the old carriers' ("a..b", "a.", "-a").
func mailbox(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || len(s) > 254 || !hostName(s[at+1:]) {
		return false
	}
	for i := range at {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

func hostName(s string) bool {
	if s == "" {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-'
	})
}

// link allows http for the loopback interface only: the demo on one machine.
func link(base string) bool {
	secure := strings.HasPrefix(base, "https://") || strings.HasPrefix(base, "http://127.0.0.1:") || strings.HasPrefix(base, "http://localhost:")
	return secure && strings.HasSuffix(base, "/") && len(base)+desk.TokenLength < maxLink &&
		!strings.ContainsFunc(base, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

func tokenText(s string) bool {
	if s == "" || len(s) > 100 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}
