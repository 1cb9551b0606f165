package desk

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"log/slog"
	"sync"
	"time"
)

// Token is 回答用トークン: who answers which dispatch, checkable without the database (law 14).
type Token struct {
	DispatchID DispatchID
	PersonID   PersonID
	IssuedOn   time.Time // day, UTC
}

// TokenLife is how long a link is honoured. A late answer inside it is taken and marked late.
const TokenLife = 90 * 24 * time.Hour

// TokenKey is 回答用トークンの鍵: 32 bytes and a number from 0 to 15, so that two keys can live while one is rotated. It prints as nothing.
type TokenKey struct {
	ID   uint8
	macs *sync.Pool // of keyed hash.Hash: to key one anew for each mail would cost more than the MAC itself
}

// NewTokenKey takes a key number and 32 bytes.
func NewTokenKey(id uint8, secret []byte) (TokenKey, error) {
	if len(secret) != sha256.Size || id > 15 {
		return TokenKey{}, Errorf(Invalid, "NewTokenKey", "トークン鍵は番号 0〜15 と 32 バイトの鍵です。")
	}
	secret = bytes.Clone(secret)
	return TokenKey{ID: id, macs: &sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}}, nil
}

// String never shows the key.
func (TokenKey) String() string { return "(token key)" }

// GoString never shows the key.
func (TokenKey) GoString() string { return "(token key)" }

// Format never shows the key, whatever the verb.
func (TokenKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(token key)") }

// LogValue never shows the key.
func (TokenKey) LogValue() slog.Value { return slog.StringValue("(token key)") }

const (
	tokenVersion = 1
	tokenHead    = 1 + 2 + 4 + 4 // version and key id, day, dispatch, person
	tokenMAC     = 16            // HMAC-SHA-256 cut to 128 bits (RFC 2104 §5)
	tokenBytes   = tokenHead + tokenMAC
)

// TokenLength is the length of a token's text: base64url without padding.
const TokenLength = (tokenBytes*8 + 5) / 6

// Sign writes the token: 36 characters of base64url. IDs above 2^32-1 are Invalid.
func (k TokenKey) Sign(t Token) (string, error) {
	if t.DispatchID <= 0 || t.PersonID <= 0 || t.DispatchID > 1<<32-1 || t.PersonID > 1<<32-1 {
		return "", Errorf(Invalid, "TokenKey.Sign", "トークンにできない番号です。")
	}
	var b [tokenBytes]byte
	b[0] = tokenVersion<<4 | k.ID
	binary.BigEndian.PutUint16(b[1:], uint16(t.IssuedOn.Unix()/86400))
	binary.BigEndian.PutUint32(b[3:], uint32(t.DispatchID))
	binary.BigEndian.PutUint32(b[7:], uint32(t.PersonID))
	mac := k.mac(b[:tokenHead])
	copy(b[tokenHead:], mac[:])
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

func (k TokenKey) mac(head []byte) (sum [tokenMAC]byte) {
	m := k.macs.Get().(hash.Hash)
	defer k.macs.Put(m)
	m.Reset()
	var room [sha256.Size]byte
	m.Write(append(append(room[:0], "answer\x00"...), head...))
	copy(sum[:], m.Sum(room[:0]))
	return sum
}

// TokenKeys is 鍵束: the keys that are honoured; the first one signs.
type TokenKeys []TokenKey

// Verify reads and checks a token at the given time. A forged, mangled or foreign text is Forbidden; one past its life is Stale.
func (ks TokenKeys) Verify(text string, now time.Time) (Token, error) {
	const op = "TokenKeys.Verify"
	forged := Errorf(Forbidden, op, "このリンクは正しくありません。メールのリンクを最後まで開いているか確かめてください。")
	if len(text) != TokenLength {
		return Token{}, forged
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != tokenBytes || b[0]>>4 != tokenVersion {
		return Token{}, forged
	}
	for _, k := range ks {
		if k.ID != b[0]&15 {
			continue
		}
		mac := k.mac(b[:tokenHead])
		if subtle.ConstantTimeCompare(mac[:], b[tokenHead:]) != 1 {
			continue
		}
		t := Token{
			DispatchID: DispatchID(binary.BigEndian.Uint32(b[3:])),
			PersonID:   PersonID(binary.BigEndian.Uint32(b[7:])),
			IssuedOn:   time.Unix(int64(binary.BigEndian.Uint16(b[1:]))*86400, 0).UTC(),
		}
		if now.Sub(t.IssuedOn) > TokenLife {
			return t, Errorf(Stale, op, "このリンクの有効期限が過ぎました。上司または当直に直接連絡してください。")
		}
		return t, nil
	}
	return Token{}, forged
}
