package meeting

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
)

// channel is a connection between two who have one key: what they say is encrypted and
// authenticated (AES-256-GCM, the number of the message as nonce), with keys of this
// connection and direction (HKDF of the key, salted by both ends). Who has another key
// cannot read the first message.
type channel struct {
	conn    net.Conn
	in, out cipher.AEAD
	read    uint64
	written uint64
	// most bounds what is taken, in bytes.
	most uint32
}

// Bounds of messages, in bytes: of one that may hold what a set-up made, and of one by
// somebody who has not said who it is.
const (
	mostMessage = 8 << 20
	mostFirst   = 4 << 10
)

// errKey is the error of a message that another key has made.
var errKey = errors.New("the key differs: give all shards one PERFCTL_BARRIER_KEY")

// greeting begins a connection: what follows is the salt of the one who sends it.
const greeting = "perfctl meeting 1\n"

const saltLength = 32

// openChannel agrees on the keys of a connection, by a time.
func openChannel(conn net.Conn, key string, dialled bool, by time.Time) (*channel, error) {
	if err := conn.SetDeadline(by); err != nil {
		return nil, err
	}
	mine := make([]byte, saltLength)
	_, _ = rand.Read(mine) // crypto/rand.Read never fails
	speak := func() error {
		_, err := conn.Write(append([]byte(greeting), mine...))
		return err
	}
	if dialled {
		if err := speak(); err != nil {
			return nil, err
		}
	}
	theirs := make([]byte, len(greeting)+saltLength)
	if _, err := io.ReadFull(conn, theirs); err != nil {
		return nil, err
	}
	if string(theirs[:len(greeting)]) != greeting {
		return nil, errors.New("what answers there is not this version of perfctl: use one version on all machines")
	}
	if !dialled { // a stranger is not answered
		if err := speak(); err != nil {
			return nil, err
		}
	}
	theirs = theirs[len(greeting):]
	salts := slices.Concat(mine, theirs)
	if !dialled {
		salts = slices.Concat(theirs, mine)
	}
	c := &channel{conn: conn, most: mostFirst}
	var err error
	toPlace, err := directionKey(key, salts, "to the meeting")
	if err != nil {
		return nil, err
	}
	fromPlace, err := directionKey(key, salts, "from the meeting")
	if err != nil {
		return nil, err
	}
	if c.in, c.out = fromPlace, toPlace; !dialled {
		c.in, c.out = toPlace, fromPlace
	}
	return c, nil
}

func directionKey(key string, salt []byte, direction string) (cipher.AEAD, error) {
	k, err := hkdf.Key(sha256.New, []byte(key), salt, "perfctl "+direction, 32)
	if err != nil {
		return nil, fmt.Errorf("the key of the meeting: %w", err)
	}
	b, err := aes.NewCipher(k)
	if err != nil {
		return nil, fmt.Errorf("the key of the meeting: %w", err)
	}
	return cipher.NewGCM(b)
}

func nonce(n uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 4, 12), n) }

// send sends a message, within a time.
func (c *channel) send(m *message, within time.Duration) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	sealed := c.out.Seal(make([]byte, 4), nonce(c.written), text, nil)
	binary.BigEndian.PutUint32(sealed, uint32(len(sealed)-4))
	c.written++
	if err := c.conn.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	_, err = c.conn.Write(sealed)
	return err
}

// receive waits for a message, within a time.
func (c *channel) receive(within time.Duration) (*message, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return nil, err
	}
	var head [4]byte
	if _, err := io.ReadFull(c.conn, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > c.most {
		return nil, fmt.Errorf("a message of %d bytes", n)
	}
	sealed := make([]byte, n)
	if _, err := io.ReadFull(c.conn, sealed); err != nil {
		return nil, err
	}
	text, err := c.in.Open(nil, nonce(c.read), sealed, nil)
	if err != nil {
		return nil, errKey
	}
	c.read++
	m := &message{}
	return m, json.Unmarshal(text, m)
}

// message is what the two ends of a channel say. One without anything in it says that
// its sender lives.
type message struct {
	// Join begins: who comes.
	Join *join `json:"join,omitempty"`
	// Joined answers it, with the clock of the place; Refused says why one may not come.
	Joined  time.Time `json:"joined,omitzero"`
	Refused string    `json:"refused,omitempty"`
	// Word and Text are a word that was said; First says that it is all shards'.
	Word  string `json:"word,omitempty"`
	Text  []byte `json:"text,omitempty"`
	First bool   `json:"first,omitempty"`
	// Gone is a shard that lives no more, counted from 1.
	Gone int `json:"gone,omitempty"`
	// Bye says that the sender leaves, and all that it had to say was said.
	Bye bool `json:"bye,omitempty"`
}

// join says which shard of which run comes. Process tells one process from another.
type join struct {
	Run     string `json:"run"`
	Shard   int    `json:"shard"`
	Shards  int    `json:"shards"`
	Process string `json:"process"`
}
