package desk

import "strings"

// QuoteMailbox is メールアドレスの引用: the mailbox as it must stand in an SMTP command or a header. A local part that is not a
// dot-atom (old docomo and au addresses: "a..b@", "a.@") is put in quotes; everything else stays as it is (RFC 5321 §4.1.2, RFC 5322 §3.4.1).
func QuoteMailbox(mailbox string) string {
	at := strings.LastIndexByte(mailbox, '@')
	if at < 0 || dotAtom(mailbox[:at]) {
		return mailbox
	}
	local := mailbox[:at]
	if len(local) >= 2 && local[0] == '"' && local[len(local)-1] == '"' {
		return mailbox // quoted already
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(local) {
		if local[i] == '"' || local[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(local[i])
	}
	b.WriteByte('"')
	b.WriteString(mailbox[at:])
	return b.String()
}

// dotAtom reports whether s is one or more atoms joined by single dots (RFC 5322 §3.2.3).
func dotAtom(s string) bool {
	previous := byte('.')
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '.':
			if previous == '.' {
				return false
			}
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0:
		default:
			return false
		}
		previous = c
	}
	return previous != '.'
}
