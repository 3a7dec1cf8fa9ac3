package ops

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
	"warifu/internal/store"
)

// Delivery says by which channels messages reach people.
type Delivery struct{ Mail, SMS Sending }

// Sending is a channel as it is configured.
type Sending struct {
	On   bool
	By   string // what takes the messages, for administrators: mail.example.com:587
	From string // of mails
}

// post is what messages are made with.
type post struct {
	Delivery
	box   *seal.Box // seals what is said
	lanes [32]byte  // keys the hash of addresses
	codes [32]byte  // keys the hash of codes
	hooks [32]byte  // keys what signs the webhooks of alerts
	urls  *seal.Box // seals where those go
}

func newPost(d Delivery, ring *seal.Keyring) post {
	return post{d, seal.NewBox(ring.Derive("outbox")), ring.Derive("outbox lanes"), ring.Derive("sent codes"), ring.Derive("webhooks of alerts"), seal.NewBox(ring.Derive("addresses of alerts"))}
}

// on reports whether a channel is configured.
func (p *post) on(c iam.Channel) bool {
	switch c {
	case iam.ChannelMail:
		return p.Mail.On
	case iam.ChannelSMS:
		return p.SMS.On
	case iam.ChannelWebhook:
		return true
	}
	return false
}

// lane hides an address: messages to it keep their order, and codes are counted
// by it.
func (p *post) lane(c iam.Channel, to string) string {
	mac := hmac.New(sha256.New, p.lanes[:])
	mac.Write([]byte(string(c) + "\x00" + strings.ToLower(to)))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// written is a letter as it is sealed: with its secret.
type written struct {
	iam.Letter
	Secret []byte
}

func letterPlace(id name.ID) []byte { return []byte("outbox\x00" + id.String()) }

// mails and text messages are kept for as long as they could help.
const noticeLife = 3 * 24 * time.Hour

// send puts a message into the outbox, in the transaction of what it tells of.
// What a channel that is not configured should carry is dropped: whoever needs an
// answer asks post.on first.
func (env *Env) send(m iam.Message) (err error) {
	if !env.post.on(m.Channel) {
		return nil
	}
	if m.ID, err = name.NewID(env.rand); err != nil {
		return fault.Wrap(err, "write a message")
	}
	if m.Expires.IsZero() {
		m.Expires = env.Now.Add(noticeLife)
	}
	text, err := json.Marshal(written{m.Letter, m.Letter.Secret.Reveal()})
	if err != nil {
		return fault.Wrap(err, "write a message")
	}
	body, err := env.post.box.Seal(nil, env.rand, text, letterPlace(m.ID))
	if err != nil {
		return fault.Wrap(err, "write a message")
	}
	return env.Tx.InsertOutgoing(&store.Outgoing{
		ID: m.ID, Account: m.Account, User: m.User, Channel: m.Channel, Kind: m.Kind, Lane: env.post.lane(m.Channel, m.Letter.To),
		Body: body, Created: env.Now, Expires: m.Expires,
	})
}

// ClaimMessages takes messages of a channel that are due; nobody else gets them
// before hold has passed. It is the sender's, as are the next two.
func (s *Server) ClaimMessages(ctx context.Context, channel iam.Channel, most int, hold time.Duration) (all []iam.Message, err error) {
	due := false
	now := s.now()
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.OutgoingDue(channel, now)
		return err
	})
	if err != nil || !due {
		return nil, err
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		all = nil
		rows, err := tx.ClaimOutgoing(channel, now, now.Add(hold), most)
		if err != nil {
			return err
		}
		for _, r := range rows {
			letter, err := s.read(&r)
			if err != nil { // sealed by keys that are gone: nobody will ever read it
				s.log.Error("a message cannot be read", "message", r.ID.String(), "error", err)
				if err := tx.GiveUpOutgoing(r.ID, now, "it cannot be read any more"); err != nil {
					return err
				}
				continue
			}
			all = append(all, iam.Message{
				ID: r.ID, Account: r.Account, User: r.User, Channel: r.Channel, Kind: r.Kind,
				Created: r.Created, Expires: r.Expires, Tries: r.Tries, Letter: letter,
			})
		}
		return nil
	})
	return all, err
}

// read opens a letter.
func (s *Server) read(m *store.Outgoing) (iam.Letter, error) {
	text, err := s.post.box.Open(nil, m.Body, letterPlace(m.ID))
	if err != nil {
		return iam.Letter{}, err
	}
	var w written
	if err := json.Unmarshal(text, &w); err != nil {
		return iam.Letter{}, err
	}
	w.Letter.Secret = seal.NewSecret(w.Secret)
	return w.Letter, nil
}

// MessageSent forgets a message that was taken.
func (s *Server) MessageSent(ctx context.Context, id name.ID) error {
	return s.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteOutgoing(id) })
}

// MessageFailed puts a message off until due, or gives it up when due is the
// zero time. why is shown to administrators.
func (s *Server) MessageFailed(ctx context.Context, m iam.Message, due time.Time, why string) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		if due.IsZero() {
			return tx.GiveUpOutgoing(m.ID, s.now(), clipped(why))
		}
		return tx.RetryOutgoing(m.ID, m.Tries, due, clipped(why))
	})
}

// Backlog tells how a channel stands, over all accounts: for the metrics.
func (s *Server) Backlog(ctx context.Context, channel iam.Channel) (waiting int, oldest time.Duration, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		b, err := tx.OutgoingBacklog(0, channel)
		waiting, oldest = b.Waiting, 0
		if b.Waiting > 0 {
			oldest = max(0, s.now().Sub(b.Oldest))
		}
		return err
	})
	return waiting, oldest, err
}

// troubleKept is how long it can be seen that a message was given up; sentKept
// how long the counts of codes are kept, which is longer than any limit looks
// back.
const (
	troubleKept = 7 * 24 * time.Hour
	sentKept    = 24 * time.Hour
)

// outboxSweeps forget what has run out of the tables of this file's.
func outboxSweeps() []func(*store.Tx, time.Time, int) (int, error) {
	return []func(*store.Tx, time.Time, int) (int, error){
		(*store.Tx).PurgePendingAddresses,
		func(tx *store.Tx, now time.Time, limit int) (int, error) {
			return tx.PurgeOutgoing(now.Add(-troubleKept), limit)
		},
		func(tx *store.Tx, now time.Time, limit int) (int, error) {
			return tx.PurgeSent(now.Add(-sentKept), limit)
		},
	}
}
