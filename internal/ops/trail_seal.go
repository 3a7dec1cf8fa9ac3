package ops

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"warifu/internal/audit"
	"warifu/internal/audit/tree"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
)

const (
	// SealEvery is how often KeepTrail makes leaves of what was recorded: how
	// long an event can be changed without a trace.
	SealEvery = time.Second

	// sealBatch is how many events one transaction makes leaves of: others
	// hardly wait.
	sealBatch = 1024

	// checkpointsKept is how long every checkpoint is kept; of older ones the
	// last of each hour is.
	checkpointsKept = 30 * 24 * time.Hour
)

// KeepTrail seals the trail, every SealEvery, until ctx ends, and then once
// more. Each node runs one; what one does, the others find done.
func (s *Server) KeepTrail(ctx context.Context) {
	tick := time.NewTicker(SealEvery)
	defer tick.Stop()
	failing := false
	for open := true; open; {
		select {
		case <-ctx.Done():
			open = false
		case <-tick.C:
		}
		_, err := s.SealTrail(context.WithoutCancel(ctx))
		if err == nil && open {
			_, err = s.PieceTrail(context.WithoutCancel(ctx))
		}
		if err != nil && !failing { // once, not every second
			s.log.Error("the trail cannot be sealed; it will be tried again", "error", err)
		}
		failing = err != nil
	}
}

// trailSigner is the key that checkpoints are signed with. It is the same for
// the life of the installation.
func (s *Server) trailSigner() (*tree.Signer, error) {
	if made := s.signer.Load(); made != nil {
		return made, nil
	}
	made, err := tree.NewSigner(s.keys.ring().Derive("checkpoints of the trail"))
	if err == nil {
		s.signer.Store(made)
	}
	return made, err
}

// openedNote is a checkpoint whose signature was checked.
type openedNote struct {
	note string
	tree.Checkpoint
}

// openNewest opens a checkpoint, which mostly is the same as the last time.
func (s *Server) openNewest(note, key string) (tree.Checkpoint, error) {
	if last := s.newest.Load(); last != nil && last.note == note {
		return last.Checkpoint, nil
	}
	c, err := tree.OpenCheckpoint(note, key)
	if err == nil {
		s.newest.Store(&openedNote{note, c})
	}
	return c, err
}

// TrailKey is the public key that the trail's checkpoints are signed with.
func (s *Server) TrailKey() (string, error) {
	signer, err := s.trailSigner()
	if err != nil {
		return "", err
	}
	return signer.Public(), nil
}

// SealTrail makes leaves of all events that are recorded, signs what the tree
// is then, and returns how many there were.
func (s *Server) SealTrail(ctx context.Context) (sealed int, err error) {
	if err := s.store.Flush(); err != nil {
		return 0, err
	}
	signer, err := s.trailSigner()
	if err != nil {
		return 0, err
	}
	for n := sealBatch; n == sealBatch; sealed += n {
		if n, err = s.sealSome(ctx, signer); err != nil {
			return sealed, err
		}
	}
	return sealed, nil
}

// errSealed says that another node was first.
var errSealed = errors.New("another node has sealed meanwhile")

// sealSome makes leaves of up to sealBatch events.
func (s *Server) sealSome(ctx context.Context, signer *tree.Signer) (n int, err error) {
	var b batchOfLeaves
	if err := s.store.View(ctx, func(tx *store.Tx) error { return b.read(tx, signer.Public()) }); err != nil || len(b.events)+len(b.gone) == 0 {
		return 0, err
	}
	if err := b.add(signer, s.now()); err != nil {
		return 0, err
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error { return b.write(tx, s) })
	if errors.Is(err, errSealed) || fault.Is(err, fault.Exists) {
		return 0, nil // what it left, the next round finds
	}
	return len(b.events) + len(b.gone), err
}

// batchOfLeaves is what is added to the tree at once.
type batchOfLeaves struct {
	edge   *tree.Edge
	last   tree.Checkpoint // what was signed before
	from   int64           // the tree's size before
	events []store.StoredEvent
	gone   []store.StoredEvent // removed before they became leaves
	forged []store.StoredEvent // of events, those that are not as they were recorded
	all    bool                // nothing waits besides

	full       []tree.Tile
	checkpoint store.TrailNote
}

// read finds the edge of the tree and what comes next. A tree that is not the
// one that was signed last is left alone: what was added to it could not be
// verified.
func (b *batchOfLeaves) read(tx *store.Tx, key string) error {
	*b = batchOfLeaves{}
	pending, err := tx.PendingEvents(store.EventPlace{}, sealBatch)
	if err != nil || len(pending) == 0 {
		return err
	}
	for _, e := range pending {
		if e.Body == "" {
			b.gone = append(b.gone, e)
		} else {
			b.events = append(b.events, e)
		}
	}
	b.all = len(pending) < sealBatch
	b.edge, b.last, err = signedEdge(tx, key)
	if err != nil {
		return err
	}
	b.from = b.edge.Size()
	for _, e := range b.events {
		if e.Forged || e.NoCode && b.last.Vouched {
			b.forged = append(b.forged, e)
		}
	}
	return nil
}

// signedEdge reads the edge of the tree and compares it with the last
// checkpoint, which it returns, too.
func signedEdge(tx *store.Tx, key string) (edge *tree.Edge, signed tree.Checkpoint, err error) {
	last, err := tx.LastCheckpoint()
	if fault.Is(err, fault.NotFound) {
		return &tree.Edge{}, signed, nil
	}
	if err != nil {
		return nil, signed, err
	}
	signed, err = tree.OpenCheckpoint(last.Note, key)
	if err != nil {
		return nil, signed, fault.Wrap(err, fmt.Sprintf("the last checkpoint of the trail, of size %d, is not the one that was signed", last.Size))
	}
	edge, err = tree.LoadEdge(signed.Size, tx.TrailTiles)
	if err != nil {
		return nil, signed, fault.Wrap(err, "the trail's tree was changed")
	}
	if last.Size != signed.Size || edge.Root() != signed.Root {
		return nil, signed, fault.New(fault.Internal, "the trail's tree was changed: its root at size %d is not the one that was signed", signed.Size)
	}
	return edge, signed, nil
}

// add makes the leaves and signs.
func (b *batchOfLeaves) add(signer *tree.Signer, now time.Time) error {
	for i := range b.events {
		b.edge.Add(tree.Leaf([]byte(b.events[i].Body)), func(t tree.Tile) { b.full = append(b.full, t) })
	}
	b.checkpoint = store.TrailNote{Size: b.edge.Size(), At: now}
	var err error
	b.checkpoint.Note, err = signer.Sign(tree.Checkpoint{Size: b.edge.Size(), Root: b.edge.Root(), At: now, Vouched: b.last.Vouched || b.all})
	return err
}

func (b *batchOfLeaves) write(tx *store.Tx, s *Server) error {
	size := int64(0)
	last, err := tx.LastCheckpoint()
	if err == nil {
		size = last.Size
	} else if !fault.Is(err, fault.NotFound) {
		return err
	}
	if size != b.from {
		return errSealed
	}
	for _, e := range b.gone {
		if err := tx.ForgetPending(e.EventPlace); err != nil {
			return err
		}
		if err := s.tellOfEvent(tx, &e, "TrailEventMissing", "an event was removed before it could be sealed"); err != nil {
			return err
		}
	}
	for _, e := range b.forged { // it becomes a leaf all the same: what is there is evidence
		why := "an event was changed, or put there, before it could be sealed"
		if !e.Forged {
			why = "an event was to be sealed that no code vouches for: it was put there, its code was removed, or an older version of the program recorded it"
		}
		if err := s.tellOfEvent(tx, &e, "TrailEventForged", why); err != nil {
			return err
		}
	}
	if len(b.events) == 0 {
		return nil
	}
	if err := tx.AddLeaves(b.from, b.events); err != nil {
		return err
	}
	for _, t := range append(b.full, b.edge.Partial()...) {
		if err := tx.PutTrailTile(t.Level, t.N, t.Data); err != nil {
			return err
		}
	}
	return tx.InsertCheckpoint(&b.checkpoint)
}

// tellOfEvent records what was done to an event that was to be sealed.
func (s *Server) tellOfEvent(tx *store.Tx, e *store.StoredEvent, operation, why string) error {
	ev := s.newTrailEvent(e.Account, operation, audit.Failed, why)
	ev.Params = audit.Fields{"eventId": e.ID, "eventTime": e.At.Format(time.RFC3339Nano)}
	return tx.AppendEvents(ev)
}

// newTrailEvent is an event about the trail itself, which the server makes.
func (s *Server) newTrailEvent(a name.Account, operation string, result audit.Result, why string) audit.Event {
	call := Call{Caller: Caller{Account: a}, Source: Source{Door: "host", Service: "warifu"}, At: s.now(), RequestID: s.newID()}
	ev := s.newEvent(&call, operation, "warifu:"+operation, false)
	ev.Actor, ev.Result, ev.Why = audit.Actor{Kind: "service", Name: "warifu"}, result, why
	ev.Target = audit.Target{Noun: "trail"}
	return ev
}

// RecordTrailEvent records that something happened to the trail, in every
// account: recording that stops is an event, too.
func (s *Server) RecordTrailEvent(ctx context.Context, operation string, result audit.Result, why string, params audit.Fields) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		accounts, err := tx.Accounts()
		if err != nil {
			return err
		}
		return s.tellAccounts(tx, accounts, operation, result, why, params)
	})
}

func (s *Server) tellAccounts(tx *store.Tx, accounts []iam.Account, operation string, result audit.Result, why string, params audit.Fields) error {
	for _, a := range accounts {
		ev := s.newTrailEvent(a.ID, operation, result, why)
		ev.Params = params
		if err := tx.AppendEvents(ev); err != nil {
			return err
		}
	}
	return nil
}

// TrailStanding tells how the sealing of the trail stands.
type TrailStanding struct {
	Size    int64     // leaves
	At      time.Time // of the last checkpoint
	Waiting int       // events that are no leaves yet, at most MaxWaiting
	Oldest  time.Time // of those; zero = none
}

// MaxWaiting is how far the events that wait to be sealed are counted.
const MaxWaiting = 10_000

// TrailStanding tells how the sealing of the trail stands: for the metrics.
func (s *Server) TrailStanding(ctx context.Context) (t TrailStanding, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		t = TrailStanding{}
		last, err := tx.LastCheckpoint()
		if err == nil {
			t.Size, t.At = last.Size, last.At
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		t.Waiting, t.Oldest, err = tx.CountPending(MaxWaiting)
		return err
	})
	return t, err
}

// LastCheckpoint is the newest signed checkpoint, "" if there is none.
func (s *Server) LastCheckpoint(ctx context.Context) (note string, size int64, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		last, err := tx.LastCheckpoint()
		if fault.Is(err, fault.NotFound) {
			note, size = "", 0
			return nil
		}
		if err == nil {
			note, size = last.Note, last.Size
		}
		return err
	})
	return note, size, err
}

// CheckAnchor compares the trail with a checkpoint that was kept elsewhere. The
// error, a Conflict, says that the trail is not the one that it tells of: the
// database was set back.
func (s *Server) CheckAnchor(ctx context.Context, note string) error {
	key, err := s.TrailKey()
	if err != nil {
		return err
	}
	anchor, err := tree.OpenCheckpoint(note, key)
	if err != nil {
		return fault.New(fault.Invalid, "the checkpoint: %v", err)
	}
	return s.store.View(ctx, func(tx *store.Tx) error {
		last, err := tx.LastCheckpoint()
		if fault.Is(err, fault.NotFound) {
			last, err = &store.TrailNote{}, nil
		}
		if err != nil {
			return err
		}
		if last.Size < anchor.Size {
			return fault.New(fault.Conflict, "the trail has %d events, and a checkpoint of %s that was kept elsewhere has %d: the database was set back",
				last.Size, anchor.At.Format(time.RFC3339), anchor.Size)
		}
		if root, err := tree.RootAt(anchor.Size, tx.TrailTiles); err != nil || root != anchor.Root {
			return fault.New(fault.Conflict, "the first %d events of the trail are not those that a checkpoint of %s tells of, which was kept elsewhere",
				anchor.Size, anchor.At.Format(time.RFC3339))
		}
		return nil
	})
}

// EventProof is the proof that an event is in the trail's tree.
type EventProof struct {
	Sealed     bool // false: the event is too new; the rest is empty
	Leaf       int64
	Checkpoint tree.Checkpoint
	Hashes     []string // base64
	Text       string   // the proof as other programs take it (C2SP tlog-proof)
	Key        string   // public key of the checkpoint
	Body       string   // the bytes that were sealed
	Whole      bool     // the proof holds: the event is as it was sealed
}

// ProveEvent proves to the caller that one event of the account is in the
// trail's tree, as it is stored.
//
// Errors: NotFound for an event that the account does not have.
var ProveEvent = Op[ProveEventIn, EventProof]{
	Name:   "ProveEvent",
	Grants: Names{AWS: "cloudtrail:LookupEvents"},
	Target: func(*Env, ProveEventIn) (Target, error) { return Target{Noun: "events"}, nil },
	Record: func(in ProveEventIn) audit.Fields { return audit.Fields{"eventId": in.ID} },
	Do: func(env *Env, in ProveEventIn) (p EventProof, err error) {
		place := store.EventPlace{Account: env.Call.Caller.Account, At: in.At, ID: in.ID}
		var leaf int64
		var note string
		if p.Body, leaf, note, err = env.Tx.SealedEvent(place); err != nil || leaf < 0 {
			return p, err
		}
		return env.proveLeaf(p, leaf, note)
	},
}

// ProveEventIn names an event.
type ProveEventIn struct {
	At time.Time
	ID string
}

func (env *Env) proveLeaf(p EventProof, leaf int64, note string) (EventProof, error) {
	signer, err := env.trailSigner()
	if err != nil {
		return p, err
	}
	p.Sealed, p.Leaf, p.Key = true, leaf, signer.Public()
	p.Checkpoint, err = env.openNewest(note, p.Key)
	if err != nil {
		return p, nil // it shows as not whole
	}
	proof, err := tree.Prove(p.Checkpoint.Size, leaf, env.Tx.TrailTiles)
	if err != nil {
		return p, nil //nolint:nilerr // likewise
	}
	for _, h := range proof {
		p.Hashes = append(p.Hashes, h.String())
	}
	p.Text = tree.Proof(leaf, proof, note)
	p.Whole = tlog.CheckRecord(proof, p.Checkpoint.Size, p.Checkpoint.Root, leaf, tree.Leaf([]byte(p.Body))) == nil
	return p, nil
}

// ThinTrail forgets old checkpoints but one an hour, and removes the events whose
// time has come: those that are older than keep, if it is not zero.
func (s *Server) ThinTrail(ctx context.Context, keep time.Duration) error {
	now := s.now()
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.ThinCheckpoints(now.Add(-checkpointsKept-48*time.Hour), now.Add(-checkpointsKept).Truncate(time.Hour))
		return err
	})
	if err != nil || keep <= 0 {
		return err
	}
	for more := true; more; {
		if more, err = s.expireSome(ctx, now.Add(-keep)); err != nil {
			return err
		}
	}
	kept, err := s.expiredLeaves(ctx)
	if err == nil && kept > 0 {
		err = s.expirePieces(ctx, kept)
	}
	return err
}

// stateExpired is where it is signed up to which leaf events were removed.
const stateExpired = "expired"

// expireBatch is how many events one transaction removes.
const expireBatch = 1000

// expireSome removes events older than a moment and signs that it did. It stops
// at the first leaf that is not as old: leaves are as good as in order of time.
func (s *Server) expireSome(ctx context.Context, than time.Time) (more bool, err error) {
	signer, err := s.trailSigner()
	if err != nil {
		return false, err
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		more = false
		from, err := expiredLeaves(tx, signer.Public())
		if err != nil {
			return err
		}
		end, text := int64(0), ""
		end, more, err = tx.LeafOlder(from, than, expireBatch)
		if err != nil {
			return err
		}
		delivered, err := deliveredToAll(tx)
		if err != nil {
			return err
		}
		if delivered >= 0 && delivered < end {
			end, more = max(delivered, from), false
		}
		if end == from {
			return nil
		}
		removed, err := tx.RemoveExpired(from, end)
		if err != nil {
			return err
		}
		if text, err = signer.SignExpired(end); err != nil {
			return err
		}
		accounts, err := tx.Accounts()
		if err != nil {
			return err
		}
		if err := s.tellAccounts(tx, accounts, "ExpireEvents", audit.Allowed, "", audit.Fields{
			"events": strconv.FormatInt(removed, 10), "olderThan": than.UTC().Format(time.RFC3339),
		}); err != nil {
			return err
		}
		return tx.SetTrailState(stateExpired, text)
	})
	return more, err
}
