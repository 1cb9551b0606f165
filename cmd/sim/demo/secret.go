package demo

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
)

// secrets are the keys of one demo installation, made once and kept under var: none is in the repository.
type secrets struct {
	dir         string
	addressFile string // 32 bytes, hexadecimal
	tokenFile   string // 32 bytes, hexadecimal
	dkimFile    string // Ed25519 private key, PKCS #8 PEM
	address     []byte
	operator    ssh.Signer
	second      ssh.Signer // the second desk, for the two-person rule
}

func loadSecrets(dir string) (*secrets, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &secrets{
		dir: dir, addressFile: filepath.Join(dir, "address.key"),
		tokenFile: filepath.Join(dir, "token.key"), dkimFile: filepath.Join(dir, "dkim.pem"),
	}
	var err error
	if s.address, err = hexSecret(s.addressFile); err != nil {
		return nil, err
	}
	// Each run begins with an empty database, whose dispatch numbers start again: a link of the last run must open nothing.
	if err = os.Remove(s.tokenFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if _, err = hexSecret(s.tokenFile); err != nil {
		return nil, err
	}
	if _, err = privateKey(s.dkimFile); err != nil {
		return nil, err
	}
	if s.operator, err = privateKey(filepath.Join(dir, "operator1.pem")); err != nil {
		return nil, err
	}
	s.second, err = privateKey(filepath.Join(dir, "operator2.pem"))
	return s, err
}

// once reads the file, or makes its content and writes it readable by the owner alone.
func once(path string, create func() ([]byte, error)) ([]byte, error) {
	text, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	if text, err = create(); err != nil {
		return nil, err
	}
	return text, os.WriteFile(path, text, 0o600)
}

func hexSecret(path string) ([]byte, error) {
	text, err := once(path, func() ([]byte, error) {
		var b [32]byte
		_, err := rand.Read(b[:])
		return []byte(hex.EncodeToString(b[:])), err
	})
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(string(text))
	if err != nil || len(secret) != 32 {
		return nil, fmt.Errorf("%s は 32 バイトの鍵ではありません。ファイルを消してやり直してください", path)
	}
	return secret, nil
}

func privateKey(path string) (ssh.Signer, error) {
	text, err := once(path, func() ([]byte, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
	})
	if err != nil {
		return nil, err
	}
	return ssh.ParsePrivateKey(text)
}
