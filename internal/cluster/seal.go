package cluster

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// seal encrypts a text with the key of a run's Secret (AES-GCM, the nonce before it).
func seal(key, text []byte) ([]byte, error) {
	g, err := gcm(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, g.NonceSize(), g.NonceSize()+len(text)+g.Overhead())
	_, _ = rand.Read(nonce) // crypto/rand.Read never fails
	return g.Seal(nonce, nonce, text, nil), nil
}

// unseal decrypts what seal made.
func unseal(key, sealed []byte) ([]byte, error) {
	g, err := gcm(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < g.NonceSize() {
		return nil, errors.New("what the first shard made is cut")
	}
	text, err := g.Open(nil, sealed[:g.NonceSize()], sealed[g.NonceSize():], nil)
	if err != nil {
		return nil, fmt.Errorf("what the first shard made: %w", err)
	}
	return text, nil
}

func gcm(key []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("the key of the run: %w", err)
	}
	return cipher.NewGCM(b)
}
