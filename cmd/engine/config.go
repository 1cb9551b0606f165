package main

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"strings"
	"time"

	"yagura/engine/compose"
	"yagura/store/desk"
)

// config is the engine's configuration: flags, or environment variables for a unit file. Secrets come as files, never as values.
type config struct {
	DSN  string `name:"dsn" env:"YAGURA_DSN" required:"" help:"PostgreSQL connection string; several hosts may be named."`
	Name string `env:"YAGURA_NAME" default:"engine" help:"Name of this engine as shown at the desk."`

	AddressKey string `env:"YAGURA_ADDRESS_KEY" required:"" type:"existingfile" help:"File with the address key (64 hexadecimal digits)."`
	TokenKey   string `env:"YAGURA_TOKEN_KEY" required:"" type:"existingfile" help:"File with the answer token key (64 hexadecimal digits)."`
	OldToken   string `env:"YAGURA_OLD_TOKEN_KEY" type:"existingfile" help:"File with the former token key; its links stay good."`
	TokenKeyID uint8  `env:"YAGURA_TOKEN_KEY_ID" default:"1" help:"Number (0 to 15) of the token key; the former one is the number before it."`
	DKIMKey    string `name:"dkim-key" env:"YAGURA_DKIM_KEY" type:"existingfile" help:"File with the DKIM private key (PKCS #8 PEM, Ed25519 or RSA); none = the relay signs."`
	DKIMName   string `name:"dkim-selector" env:"YAGURA_DKIM_SELECTOR" default:"anpi" help:"DKIM selector."`

	Host     string `env:"YAGURA_HOST" default:"anpi.example" help:"Host of the answer page and of the mail addresses."`
	FromName string `env:"YAGURA_FROM_NAME" default:"安否確認当直" help:"Name in the From header."`

	AnswerListen string `env:"YAGURA_ANSWER_LISTEN" default:"127.0.0.1:8080" help:"Address of the answer page."`
	TLSCert      string `name:"tls-cert" env:"YAGURA_TLS_CERT" type:"existingfile" help:"Certificate chain (PEM) of the answer page."`
	TLSKey       string `name:"tls-key" env:"YAGURA_TLS_KEY" type:"existingfile" help:"Private key (PEM) of the answer page."`
	Journal      string `env:"YAGURA_JOURNAL" required:"" help:"Folder of the answer journal, of this engine alone."`

	sourceConfig

	Replay      string        `env:"YAGURA_REPLAY" help:"Replay telegrams: a built-in scenario by name, or a folder of recorded ones."`
	ReplaySpeed float64       `default:"1" help:"60 = a minute for an hour; 0 = without gaps."`
	ReplayGap   time.Duration `name:"replay-max-gap" default:"0" help:"Longest pause between two replayed telegrams."`
	ReplayWait  time.Duration `default:"0" help:"Pause before the first replayed telegram."`
	Debug       bool          `env:"YAGURA_DEBUG" help:"Say more in the log."`
}

func readSecret(path string) ([]byte, error) {
	const op = "readSecret"
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, desk.Errorf(desk.Invalid, op, "鍵のファイルが読めません。場所と権限を確かめてください: %s", path)
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, desk.Errorf(desk.Invalid, op, "鍵のファイルは 16 進 64 桁でなければなりません: %s", path)
	}
	return secret, nil
}

func (c *config) tokenKeys() (desk.TokenKeys, error) {
	var keys desk.TokenKeys
	for i, path := range []string{c.TokenKey, c.OldToken} {
		if path == "" {
			continue
		}
		secret, err := readSecret(path)
		if err != nil {
			return nil, err
		}
		key, err := desk.NewTokenKey((c.TokenKeyID-uint8(i))&15, secret)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (c *config) addressKey() (desk.AddressKey, error) {
	secret, err := readSecret(c.AddressKey)
	if err != nil {
		return desk.AddressKey{}, err
	}
	return desk.NewAddressKey(secret)
}

func (c *config) mails() (compose.Options, error) {
	o := compose.Options{
		From: "anpi@" + c.Host, FromName: c.FromName, LinkBase: "https://" + c.Host + "/r/", MessageIDHost: c.Host,
		ReturnPath: "b-{id}@bounce." + c.Host,
	}
	if c.DKIMKey == "" {
		return o, nil
	}
	const op = "config.mails"
	text, err := os.ReadFile(c.DKIMKey)
	if err != nil {
		return o, desk.Errorf(desk.Invalid, op, "DKIM 鍵のファイルが読めません: %s", c.DKIMKey)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return o, desk.Errorf(desk.Invalid, op, "DKIM 鍵は PEM 形式でなければなりません: %s", c.DKIMKey)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return o, desk.Errorf(desk.Invalid, op, "DKIM 鍵は PKCS #8 の秘密鍵でなければなりません: %s", c.DKIMKey)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return o, desk.Errorf(desk.Invalid, op, "DKIM 鍵は Ed25519 か RSA でなければなりません: %s", c.DKIMKey)
	}
	o.Signers = []compose.Signer{{Domain: c.Host, Selector: c.DKIMName, Key: signer}}
	return o, nil
}
