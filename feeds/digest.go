package feeds

import (
	"bytes"
	"crypto/sha256"
	"unicode/utf8"
)

// Digest is the SHA-256 of the canonical text of a telegram, so that one telegram which came by two paths has one digest.
//
// Paths differ in the byte order mark, line ends, the XML declaration and white space between tags (feeds.md 9); the
// canonical text has none of them. Bytes that are not an XML text in UTF-8 are hashed as they are.
func Digest(raw []byte) [sha256.Size]byte {
	return sha256.Sum256(canonical(raw))
}

func canonical(raw []byte) []byte {
	text := TrimBOM(raw)
	body := bytes.TrimLeft(text, " \t\r\n")
	if len(body) == 0 || body[0] != '<' || !utf8.Valid(body) {
		return raw
	}
	if bytes.HasPrefix(body, []byte("<?xml")) {
		if end := bytes.Index(body, []byte("?>")); end >= 0 {
			body = body[end+2:]
		}
	}
	return squeeze(body)
}

// squeeze makes every line end a line feed and drops text that is nothing but white space between two tags.
func squeeze(text []byte) []byte {
	out := make([]byte, 0, len(text))
	keep := 0 // out[:keep] is settled; what follows is white space since the last tag
	blank := true
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch c {
		case '\r': // XML 1.0, 2.11: CR LF and a lone CR are read as LF
			if i+1 < len(text) && text[i+1] == '\n' {
				continue
			}
			c = '\n'
		case '<':
			if blank {
				out = out[:keep]
			}
			blank = false
		case ' ', '\t', '\n', '>':
		default:
			blank = false
		}
		out = append(out, c)
		if c == '>' {
			keep, blank = len(out), true
		}
	}
	if blank {
		out = out[:keep]
	}
	return out
}

// TrimBOM drops a UTF-8 byte order mark from the front, if there is one.
func TrimBOM(raw []byte) []byte {
	return bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
}
