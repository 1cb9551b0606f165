package desk

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
)

// Person is 利用者: a member of staff. One ID (Code) and one name per person. // F3-1-i
type Person struct {
	ID      PersonID
	Code    string // 職員番号, unique
	Name    string
	Kana    string
	Regions []Prefecture // ≥ 0; a person without any is "uncovered" // F3-1-f
	Groups  []GroupID    // F3-1-h
}

// PersonLine is 利用者の一行 for lists at the desk.
type PersonLine struct {
	ID   PersonID
	Code string
	Name string
	Unit string // name of the first group
}

// Group is グループ: a node of the organisation tree. // F3-1-e
type Group struct {
	ID     GroupID
	Parent GroupID // 0 = root
	Name   string
	Level  int // 1 to 6 in the shipped roster; any depth is allowed
}

// AddressState is メールアドレスの状態.
type AddressState string

const (
	AddressUnverified AddressState = "unverified"
	AddressVerified   AddressState = "verified"
	AddressBad        AddressState = "bad" // suppressed: not mailed
)

// Address is メールアドレス, sealed: the store and every screen see the domain only. Its text form is "…@domain" (law 11).
type Address struct {
	ID     AddressID
	Sealed []byte // AES-256-GCM: nonce ‖ ciphertext, bound to the domain
	Domain string
}

// String is the masked form, the only one a log, a screen or an error ever sees. // F3-2-m
func (a Address) String() string { return "…@" + a.Domain }

// GoString masks as well, so that %#v cannot leak.
func (a Address) GoString() string { return a.String() }

// Format masks under every verb.
func (a Address) Format(f fmt.State, _ rune) { fmt.Fprint(f, a.String()) }

// LogValue masks in structured logs.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.String()) }

// AddressKey is アドレス鍵: 32 bytes the database does not hold. It prints as nothing.
type AddressKey struct{ secret [32]byte }

// NewAddressKey takes 32 bytes.
func NewAddressKey(secret []byte) (AddressKey, error) {
	var k AddressKey
	if len(secret) != len(k.secret) {
		return k, Errorf(Invalid, "NewAddressKey", "アドレス鍵は 32 バイトでなければなりません（%d バイトでした）。", len(secret))
	}
	copy(k.secret[:], secret)
	return k, nil
}

// String never shows the key.
func (AddressKey) String() string { return "(address key)" }

// GoString never shows the key.
func (AddressKey) GoString() string { return "(address key)" }

// Format never shows the key, whatever the verb.
func (AddressKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(address key)") }

// LogValue never shows the key.
func (AddressKey) LogValue() slog.Value { return slog.StringValue("(address key)") }

func (k AddressKey) aead(purpose string) (cipher.AEAD, error) {
	mac := hmac.New(sha256.New, k.secret[:])
	mac.Write([]byte(purpose))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// AddressOpener is 開封器: an AddressKey made ready once, for opening many addresses. Safe for concurrent use.
type AddressOpener struct{ aead cipher.AEAD }

// Opener prepares the key for Reveal.
func (k AddressKey) Opener() (*AddressOpener, error) {
	a, err := k.aead("address")
	if err != nil {
		return nil, Wrap(Internal, "AddressKey.Opener", err)
	}
	return &AddressOpener{a}, nil
}

// Seal encrypts a mailbox ("local@domain"). The local part is kept as written (old docomo and au addresses are not RFC-clean);
// the domain is lower-cased. Control characters, blanks, angle brackets and a missing part are Invalid.
func (k AddressKey) Seal(mailbox string) (Address, error) {
	at := strings.LastIndexByte(mailbox, '@')
	if at <= 0 || at == len(mailbox)-1 || len(mailbox) > 254 || strings.ContainsFunc(mailbox, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || r == '<' || r == '>'
	}) {
		return Address{}, Errorf(Invalid, "AddressKey.Seal", "メールアドレスの形が正しくありません。")
	}
	mailbox = mailbox[:at+1] + strings.ToLower(mailbox[at+1:])
	domain := mailbox[at+1:]
	aead, err := k.aead("address")
	if err != nil {
		return Address{}, Wrap(Internal, "AddressKey.Seal", err)
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(mailbox)+aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return Address{}, Wrap(Internal, "AddressKey.Seal", err)
	}
	return Address{Sealed: aead.Seal(nonce, nonce, []byte(mailbox), []byte(domain)), Domain: domain}, nil
}

// Fingerprint is 照合値: an HMAC of the mailbox for uniqueness and bounce matching, useless without the key.
func (k AddressKey) Fingerprint(mailbox string) []byte {
	mac := hmac.New(sha256.New, k.secret[:])
	mac.Write([]byte("fingerprint\x00" + strings.ToLower(mailbox)))
	return mac.Sum(nil)
}

// Reveal opens the address. It is called in engine/route alone; cmd/floorplan checks that.
func (a Address) Reveal(o *AddressOpener) (string, error) {
	n := o.aead.NonceSize()
	if len(a.Sealed) < n {
		return "", Errorf(Internal, "Address.Reveal", "アドレスの暗号文が壊れています。")
	}
	plain, err := o.aead.Open(nil, a.Sealed[:n], a.Sealed[n:], []byte(a.Domain))
	if err != nil {
		return "", Errorf(Internal, "Address.Reveal", "アドレスを開けません（鍵が違うか、壊れています）。")
	}
	return string(plain), nil
}
