package compose

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"yagura/store/desk"
)

// Signer is DKIM 署名鍵: an Ed25519 key (RFC 8463) or an RSA key of at least 2048 bits (RFC 6376). It costs about 30 µs or 1.2 ms a mail.
type Signer struct {
	Domain   string
	Selector string
	Key      crypto.Signer
}

// header is one header field; its value may be folded with CRLF and a blank.
type header struct{ name, value string }

func (h header) raw() string { return h.name + ": " + h.value + "\r\n" }

// relaxed is the field in relaxed canonical form (RFC 6376 §3.4.2). Values here are folded with single blanks only.
func (h header) relaxed() string {
	return strings.ToLower(h.name) + ":" + strings.ReplaceAll(h.value, "\r\n", "") + "\r\n"
}

func rawAll(hs []header) string {
	var b strings.Builder
	for _, h := range hs {
		b.WriteString(h.raw())
	}
	return b.String()
}

// varying are the header values of one mail.
type varying struct {
	to   string
	date []byte
	id   []byte
}

// signer is a Signer with everything that does not vary made ready. The library's streaming canonicaliser costs 2.5 times as
// much; what it verifies is what stands here, and the tests verify with it. (limits.md §2)
type signer struct {
	key      crypto.Signer
	hash     crypto.Hash // 0 = sign the digest itself (Ed25519)
	head     string      // relaxed From and Subject
	tail     string      // relaxed constant headers
	raw, can string      // the signature field up to the value of t=, as sent and canonical
	raw2     string      // from ";" after t= to "bh="
	can2     string
}

// signedNames: From, To and Subject are named once more than they occur, so that nobody can add a second one (RFC 6376 §8.15).
const signedNames = "from:subject:to:date:message-id:mime-version:content-type:content-transfer-encoding:content-language:auto-submitted:from:subject:to"

func newSigners(list []Signer, from, subject header, constant []header) ([]signer, error) {
	const op = "compose.New"
	var out []signer
	for _, s := range list {
		if !hostName(s.Domain) || !hostName(s.Selector) || s.Key == nil {
			return nil, desk.Errorf(desk.Invalid, op, "DKIM の署名者にはドメイン、セレクタ、鍵が要ります。")
		}
		ready := signer{key: s.Key, head: from.relaxed() + subject.relaxed()}
		for _, h := range constant {
			ready.tail += h.relaxed()
		}
		algorithm := ""
		switch key := s.Key.Public().(type) {
		case ed25519.PublicKey:
			algorithm = "ed25519-sha256"
		case *rsa.PublicKey:
			if key.N.BitLen() < 2048 {
				return nil, desk.Errorf(desk.Invalid, op, "DKIM の RSA 鍵は 2048 ビット以上にしてください。")
			}
			algorithm, ready.hash = "rsa-sha256", crypto.SHA256
		default:
			return nil, desk.Errorf(desk.Invalid, op, "DKIM の鍵は Ed25519 か RSA です。")
		}
		first := "v=1; a=" + algorithm + "; c=relaxed/simple; d=" + s.Domain + ";"
		second := "s=" + s.Selector + "; t="
		names := "h=" + strings.ReplaceAll(signedNames, ":content", ":\n content")
		ready.raw = "DKIM-Signature: " + first + "\r\n " + second
		ready.can = "dkim-signature:" + first + " " + second
		ready.raw2 = ";\r\n " + strings.ReplaceAll(names, "\n", "\r\n") + ";\r\n bh="
		ready.can2 = "; " + strings.ReplaceAll(names, "\n", "") + "; bh="
		out = append(out, ready)
	}
	return out, nil
}

// sign appends one DKIM-Signature field per key. t= is the mail's own time, so that every attempt has the same bytes (law 5).
func (c *Composer) sign(dst []byte, v *varying, at time.Time, body []byte) ([]byte, error) {
	if len(c.signers) == 0 {
		return dst, nil
	}
	sum := sha256.Sum256(body) // simple body canonicalisation: the body ends in exactly one CRLF
	var hashRoom, timeRoom [64]byte
	bodyHash := base64.StdEncoding.AppendEncode(hashRoom[:0], sum[:])
	when := strconv.AppendInt(timeRoom[:0], at.Unix(), 10)
	for i := range c.signers {
		s := &c.signers[i]
		var room [2048]byte
		data := append(room[:0], s.head...)
		data = append(append(append(data, "to:"...), v.to...), "\r\ndate:"...)
		data = append(append(data, v.date...), "\r\nmessage-id:<"...)
		data = append(append(append(append(data, v.id...), '@'), c.host...), ">\r\n"...)
		data = append(append(data, s.tail...), s.can...)
		data = append(append(append(data, when...), s.can2...), bodyHash...)
		data = append(data, "; b="...)
		digest := sha256.Sum256(data)
		signature, err := s.key.Sign(nil, digest[:], s.hash) // both schemes are deterministic and need no randomness
		if err != nil {
			return dst, err
		}
		dst = append(append(append(append(dst, s.raw...), when...), s.raw2...), bodyHash...)
		dst = append(dst, ";\r\n b="...)
		dst = appendFolded(dst, signature)
	}
	return dst, nil
}

// appendFolded appends base64 in pieces of at most 72 characters, folded, and ends the field.
func appendFolded(dst, raw []byte) []byte {
	for len(raw) > 54 {
		dst = base64.StdEncoding.AppendEncode(dst, raw[:54])
		dst = append(dst, "\r\n "...)
		raw = raw[54:]
	}
	return append(base64.StdEncoding.AppendEncode(dst, raw), '\r', '\n')
}
