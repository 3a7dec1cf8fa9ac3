package ops

import (
	"context"
	"time"

	"warifu/internal/audit/tree"
	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/store"
	"warifu/internal/store/query"
)

// Queries read the trail by columns. What is sealed is put in pieces for them, some
// ten thousand leaves at a time; events that are in none yet are read as they are.

// accountTrail is what a query over an account's events reads.
type accountTrail struct {
	s        *Server
	account  name.Account
	from, to time.Time
}

// Open implements query.Trail.
func (t accountTrail) Open(ctx context.Context, limit int, add func(*query.Event)) (pieces []query.Piece, kept int64, err error) {
	signer, err := t.s.trailSigner()
	if err != nil {
		return nil, 0, err
	}
	err = t.s.store.View(ctx, func(tx *store.Tx) (err error) {
		if kept, err = expiredLeaves(tx, signer.Public()); err != nil {
			return err
		}
		if pieces, err = tx.Pieces(t.account, t.from, t.to); err != nil {
			return err
		}
		return tx.LooseEvents(t.account, t.from, t.to, limit, add)
	})
	return pieces, kept, err
}

// Columns implements query.Trail.
func (t accountTrail) Columns(ctx context.Context, first int64, keys []int) (all map[int][]byte, err error) {
	err = t.s.store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.PieceColumns(t.account, first, keys)
		return err
	})
	return all, err
}

// Bodies implements query.Trail.
func (t accountTrail) Bodies(ctx context.Context, places []query.Place) (all []string, err error) {
	err = t.s.store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.Bodies(t.account, places)
		return err
	})
	return all, err
}

// expiredLeaves is the leaf before which events were removed because their time had
// come.
func expiredLeaves(tx *store.Tx, key string) (int64, error) {
	text, err := tx.TrailState(stateExpired)
	if err != nil || text == "" {
		return 0, err
	}
	return tree.OpenExpired(text, key)
}

func (s *Server) expiredLeaves(ctx context.Context) (kept int64, err error) {
	signer, err := s.trailSigner()
	if err != nil {
		return 0, err
	}
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		kept, err = expiredLeaves(tx, signer.Public())
		return err
	})
	return kept, err
}

// PieceTrail puts what is sealed in pieces, whole ones only, and returns how many
// leaves that were.
// One of several nodes does.
func (s *Server) PieceTrail(ctx context.Context) (leaves int64, err error) {
	if mine, err := s.store.Lead(ctx, "puts the trail in pieces"); !mine {
		return 0, err
	}
	for {
		first, ready := int64(0), false
		err := s.store.View(ctx, func(tx *store.Tx) (err error) {
			ready = false
			if first, err = tx.PiecedLeaves(); err != nil {
				return err
			}
			last, err := tx.LastCheckpoint()
			if fault.Is(err, fault.NotFound) {
				return nil
			}
			ready = err == nil && last.Size-first >= s.pieceLeaves
			return err
		})
		if err != nil || !ready {
			return leaves, err
		}
		pieces, err := s.buildPieces(ctx, first, first)
		if err != nil {
			return leaves, err
		}
		err = s.store.Update(ctx, func(tx *store.Tx) error { return tx.AddPieces(first, s.pieceLeaves, pieces) })
		if fault.Is(err, fault.Conflict) {
			continue // another node was first
		}
		if err != nil {
			return leaves, err
		}
		leaves += s.pieceLeaves
	}
}

// pieceRead is how many leaves one transaction reads for a piece.
const pieceRead = 2048

// buildPieces makes the pieces, one for each account, of the stretch of leaves that
// begins with first, but for those before from.
func (s *Server) buildPieces(ctx context.Context, first, from int64) (map[name.Account]*query.Built, error) {
	all := map[name.Account][]query.Event{}
	for n, end := from, first+s.pieceLeaves; n < end; n += pieceRead {
		some := map[name.Account][]query.Event{}
		err := s.store.View(ctx, func(tx *store.Tx) error {
			clear(some)
			return tx.LeafEvents(n, min(n+pieceRead, end), func(a name.Account, e query.Event) { some[a] = append(some[a], e) })
		})
		if err != nil {
			return nil, err
		}
		for a, events := range some {
			all[a] = append(all[a], events...)
		}
	}
	pieces := make(map[name.Account]*query.Built, len(all))
	for a, events := range all {
		pieces[a] = query.Build(first, events)
	}
	return pieces, nil
}

// expirePieces removes from pieces the events of leaves before kept.
func (s *Server) expirePieces(ctx context.Context, kept int64) error {
	cut := int64(-1)
	var pieces map[name.Account]*query.Built
	err := s.store.View(ctx, func(tx *store.Tx) error {
		n, err := tx.PiecedLeaves()
		if err == nil && kept < n {
			cut = kept - kept%s.pieceLeaves
		}
		return err
	})
	if err != nil {
		return err
	}
	if cut >= 0 && cut < kept {
		if pieces, err = s.buildPieces(ctx, cut, kept); err != nil {
			return err
		}
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		had, err := tx.RemovePieces(kept, s.pieceLeaves)
		if err == nil && had == cut && cut >= 0 {
			err = tx.PutPieces(pieces)
		}
		return err
	})
}
