package route

import (
	"bytes"
	"encoding/binary"

	"yagura/store/desk"
)

// appendMessage appends data dot-stuffed and closed by the final dot (RFC 5321 §4.5.2).
func appendMessage(dst, data []byte) []byte {
	if len(data) > 0 && data[0] == '.' {
		dst = append(dst, '.')
	}
	for {
		i := bytes.Index(data, []byte("\n."))
		if i < 0 {
			break
		}
		dst = append(dst, data[:i+1]...)
		dst = append(dst, '.')
		data = data[i+1:]
		// the dot itself goes out with the next piece; skip it in the search
		dst = append(dst, data[0])
		data = data[1:]
	}
	dst = append(dst, data...)
	if !bytes.HasSuffix(dst, []byte("\r\n")) {
		dst = append(dst, '\r', '\n')
	}
	return append(dst, '.', '\r', '\n')
}

// appendMail appends the MAIL command.
func appendMail(dst []byte, item *Item, eightBit bool) []byte {
	dst = append(dst, "MAIL FROM:<"...)
	if item.ReturnPath != "" {
		dst = append(dst, desk.QuoteMailbox(item.ReturnPath)...)
	}
	dst = append(dst, '>')
	if eightBit && hasHighBit(item.Data) {
		dst = append(dst, " BODY=8BITMIME"...) // RFC 6152
	}
	return append(dst, '\r', '\n')
}

// appendRcpt appends the RCPT command.
func appendRcpt(dst []byte, item *Item) []byte {
	dst = append(dst, "RCPT TO:<"...)
	dst = append(dst, desk.QuoteMailbox(item.to)...)
	return append(dst, ">\r\n"...)
}

// hasHighBit looks at eight bytes at a time: it is asked of every mail.
func hasHighBit(data []byte) bool {
	for ; len(data) >= 8; data = data[8:] {
		if binary.NativeEndian.Uint64(data)&0x8080808080808080 != 0 {
			return true
		}
	}
	for _, c := range data {
		if c >= 0x80 {
			return true
		}
	}
	return false
}
