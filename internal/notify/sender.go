package notify

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

// Queue is the outbox. All methods are safe to call from several senders, on
// several nodes.
type Queue interface {
	// ClaimMessages takes up to most messages that are due; nobody else gets them
	// before hold has passed.
	ClaimMessages(ctx context.Context, channel iam.Channel, most int, hold time.Duration) ([]iam.Message, error)

	// MessageSent forgets a message that was taken by its carrier.
	MessageSent(ctx context.Context, id name.ID) error

	// MessageFailed puts a message off until due, or gives it up when due is zero.
	// why is shown to administrators.
	MessageFailed(ctx context.Context, m iam.Message, due time.Time, why string) error
}

// claimLife is how long a claimed message stays claimed: longer than a batch can
// take, and short enough that a code is still good after a crash.
const claimLife = 2 * time.Minute

const (
	batch    = 10               // messages that one claim takes
	every    = time.Second      // how often the outbox is looked into
	perBatch = 90 * time.Second // what a batch may take; less than claimLife
)

// Carrier takes rendered messages to people.
type Carrier interface {
	// Carry sends messages and calls done for each, in order, with what became of
	// it, before it goes on to the next. An error that wraps ErrRefused is final.
	Carry(ctx context.Context, all []Rendered, done func(i int, err error))
}

// ErrRefused says that a message will never be taken.
var ErrRefused = errors.New("refused")

// Outcome is what became of a try.
type Outcome string

// The outcomes.
const (
	Sent  Outcome = "sent"
	Later Outcome = "later" // it is tried again
	Never Outcome = "never" // given up
)

// Config is what a Sender is made of. Mail, SMS and Webhook may be nil: then nothing of
// that channel is in the outbox.
type Config struct {
	Queue   Queue
	Words   *Words
	Mail    Carrier
	SMS     Carrier
	Webhook Carrier // of alerts
	Now     func() time.Time
	Log     *slog.Logger
	Observe func(iam.Channel, Outcome) // for the metrics; may be nil
}

// Sender empties the outbox.
type Sender struct{ Config }

// New returns a sender.
func New(c Config) *Sender {
	if c.Observe == nil {
		c.Observe = func(iam.Channel, Outcome) {}
	}
	return &Sender{c}
}

// Run sends what is due until ctx ends; then it finishes what it has begun. Each
// node runs one.
func (s *Sender) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		for more := true; more && ctx.Err() == nil; {
			n, err := s.Once(context.WithoutCancel(ctx))
			if err != nil {
				s.Log.Error("the outbox cannot be read; it will be tried again", "error", err)
			}
			more = n > 0 && err == nil
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Once sends one batch of each channel and reports how many messages it took.
func (s *Sender) Once(ctx context.Context) (n int, err error) {
	for _, c := range []struct {
		channel iam.Channel
		by      Carrier
	}{{iam.ChannelMail, s.Mail}, {iam.ChannelSMS, s.SMS}, {iam.ChannelWebhook, s.Webhook}} {
		if c.by == nil {
			continue
		}
		took, e := s.send(ctx, c.channel, c.by)
		n, err = n+took, errors.Join(err, e)
	}
	return n, err
}

// send claims a batch and carries it.
func (s *Sender) send(ctx context.Context, channel iam.Channel, by Carrier) (int, error) {
	all, err := s.Queue.ClaimMessages(ctx, channel, batch, claimLife)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, perBatch)
	defer cancel()
	var ready []Rendered
	var from []iam.Message
	for _, m := range all {
		r, err := s.Words.Render(m)
		if err != nil {
			s.settle(m, errors.Join(ErrRefused, err))
			continue
		}
		ready, from = append(ready, r), append(from, m)
	}
	if len(ready) > 0 {
		by.Carry(ctx, ready, func(i int, err error) { s.settle(from[i], err) })
	}
	return len(all), nil
}

// settle writes what became of a message. When that fails the message comes
// again: at least once.
func (s *Sender) settle(m iam.Message, err error) {
	ctx := context.Background()
	outcome, log := Sent, s.Log.With("message", m.ID.String(), "channel", m.Channel, "kind", m.Kind, "try", m.Tries)
	var kept error
	switch due := s.Now().Add(backoff(m)); {
	case err == nil:
		kept = s.Queue.MessageSent(ctx, m.ID)
	case errors.Is(err, ErrRefused), !due.Before(m.Expires):
		outcome = Never
		log.Error("a message cannot be delivered", "reason", reason(err))
		kept = s.Queue.MessageFailed(ctx, m, time.Time{}, reason(err))
	default:
		outcome = Later
		log.Warn("a message was not delivered; it will be tried again", "reason", reason(err), "at", due.UTC().Format(time.RFC3339))
		kept = s.Queue.MessageFailed(ctx, m, due, reason(err))
	}
	s.Observe(m.Channel, outcome)
	if kept != nil {
		log.Error("what became of a message could not be written; it may go out twice", "error", kept)
	}
}

// pauses are between tries; the last one is repeated.
var pauses = []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}

// backoff is the pause after a try. A part that depends on the message keeps a
// crowd that failed together from coming back together.
func backoff(m iam.Message) time.Duration {
	p := pauses[min(max(m.Tries, 1), len(pauses))-1]
	return p + time.Duration(uint64(m.ID)%100)*p/400
}

// reason is what went wrong, short enough to be shown and on one line.
func reason(err error) string {
	if told := (*toldError)(nil); errors.As(err, &told) {
		return told.told
	}
	return clip(err.Error())
}
