package ops

import (
	"context"
	"encoding/base64"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/store"
)

// Whoever owns the host lets root back in, who has lost its password or its
// factors: with a link that works once, through a page where root chooses a new
// password and binds a new factor. Nothing changes before the end of it; at the end
// all that root had ends. It is loud on purpose.

const (
	// RecoveryPurpose is what tokens to recover root are for.
	RecoveryPurpose = "recover root"
	// RecoveryLife is how long a link to recover root works: whoever makes it
	// needs it now.
	RecoveryLife = time.Hour
)

// NewRecovery makes a link with which root gets a new password and factor, on the
// host. Links that were made before it end. Root and the administrators are told,
// and the event is marked as a use of root.
//
// Errors: NotFound account; Conflict, noun "set-up", while root has never been set
// up: the set-up link is for that.
func (s *Server) NewRecovery(ctx context.Context, account name.Account) (token seal.Secret, err error) {
	call := Call{Caller: Caller{Account: account}, Source: Source{Door: "host", Service: "signin"}, RequestID: s.newID(), At: s.now()}
	ev := s.newEvent(&call, "NewRecovery", "warifu:NewRecovery", false)
	ev.Actor.Kind, ev.Root = "system", true
	err = s.update(ctx, func(tx *store.Tx) error {
		root, err := tx.RootUser(account)
		if err != nil {
			return err
		}
		ev.Target = audit.Target{Noun: "user", Name: root.Name, ID: root.ID, ARN: root.ARN()}
		if root.Email == "" {
			return fault.Of(fault.Conflict, "set-up", account.String())
		}
		if token, err = randomText(s.rand, setupTokenSize, base64.RawURLEncoding); err != nil {
			return fault.Wrap(err, "make a link to recover root")
		}
		if _, err := tx.DeleteTokens(account, RecoveryPurpose); err != nil {
			return err
		}
		err = tx.InsertToken(&store.Token{
			Hash: hashToken(token), Purpose: RecoveryPurpose, Account: account, User: root.ID, Expires: call.At.Add(RecoveryLife),
		})
		if err != nil {
			return err
		}
		env := &Env{Context: ctx, Server: s, Call: call, Tx: tx, Now: call.At, ev: &ev, behind: onHost}
		return env.tellOfRoot(root, iam.NoticeRootLink, "")
	}, &ev)
	if err == nil {
		s.log.Warn("a link to recover the root user was made on the host", "account", account.String(), "expires", call.At.Add(RecoveryLife).UTC())
	}
	return token, err
}

// onHost is who does what is done with a command of the host.
const onHost = "host"

// RecoveryInfo is what the first page of a recovery shows.
type RecoveryInfo struct {
	Account iam.Account
	Expires time.Time
}

// InspectRecovery looks at a link to recover root and changes nothing: it is for
// GET (H-5).
//
// Errors: NotFound, noun "recovery link", for one that is unknown, used, or has run
// out.
var InspectRecovery = Op[InspectSetupIn, *RecoveryInfo]{
	Name:       "InspectRecovery",
	Grants:     Names{AWS: "signin:InspectRecovery"},
	Permission: Always,
	Target:     func(*Env, InspectSetupIn) (Target, error) { return Target{Noun: "recovery link"}, nil },
	Do: func(env *Env, in InspectSetupIn) (*RecoveryInfo, error) {
		t, err := env.Tx.Token(RecoveryPurpose, hashToken(in.Token), env.Now)
		if fault.Is(err, fault.NotFound) {
			return nil, fault.Of(fault.NotFound, "recovery link", "")
		}
		if err != nil {
			return nil, err
		}
		env.ev.Account, env.ev.Root = t.Account, true
		a, err := env.Tx.Account(t.Account)
		if err != nil {
			return nil, err
		}
		return &RecoveryInfo{Account: *a, Expires: t.Expires}, nil
	},
}

// beginRecovery begins a flow with a link to recover root, which stays good until
// the end.
func (s *signing) beginRecovery(form SubmitRecovery) (p signin.Proof, facts signin.Facts, err error) {
	p.Act = signin.BeganRecovery
	s.old, s.kept, s.user, s.flow = s.kept, nil, nil, signin.Flow{}
	hash := hashToken(form.Token)
	t, err := s.Tx.Token(RecoveryPurpose, hash, s.Now)
	if fault.Is(err, fault.NotFound) {
		facts.Known, facts.TokenSpent = true, true
		return p, facts, s.attribute(0)
	}
	if err != nil {
		return p, facts, err
	}
	root, err := s.Tx.RootUser(t.Account)
	if err != nil {
		return p, facts, err
	}
	s.is(root)
	p.Fits = true
	p.Flow = signin.Flow{Account: t.Account, User: root.ID, Setup: signin.SetupData{Token: hash}}
	s.flow.Kind, s.flow.Setup = signin.Recover, p.Flow.Setup
	s.recovering = true
	facts, err = s.facts()
	return p, facts, err
}

// noteRootPassword puts the hash of root's new password into the proof: it takes
// effect at the end.
func (s *signing) noteRootPassword(p *signin.Proof) func(SubmitNewPassword, *tried) error {
	return func(form SubmitNewPassword, t *tried) error {
		if form.Password.Empty() {
			return fault.Field("newPassword", "newPassword must not be empty")
		}
		if err := s.goodPassword(s.user, form.Password, t); err != nil {
			return err
		}
		p.Flow.Setup.RootHash = t.hash
		return nil
	}
}

// finishRecovery makes true what the recovery gathered, and uses the link up. The
// new factor was bound in this same transaction. What root had before ends: its
// other factors and their recovery codes, its sessions and session credentials, the
// browsers that are remembered. Its access keys stay as they are. A network that does not let root in from where it is now is lifted:
// the way out must not end behind another door.
func (s *signing) finishRecovery() error {
	if _, err := s.Tx.ConsumeToken(RecoveryPurpose, s.flow.Setup.Token, s.Now); err != nil {
		return err
	}
	root := s.user
	if err := s.firstPassword(root.ID, s.flow.Setup.RootHash); err != nil {
		return err
	}
	if err := s.keepOnlyProved(); err != nil {
		return err
	}
	if _, err := s.Tx.ClearFailures(root.ID); err != nil {
		return err
	}
	if _, err := s.Tx.DeleteSessions(root.Account, root.ID, 0); err != nil {
		return err
	}
	if _, err := s.Tx.DeleteAllRemembered(root.Account, root.ID); err != nil {
		return err
	}
	if err := s.reset(); err != nil {
		return err
	}
	s.log.Warn("the root user was recovered with a link from the host", "account", root.Account.String(), "source", s.source())
	return s.tellOfRoot(root, iam.NoticeRootRecovered, "")
}

// keepOnlyProved ends all of root's factors but the one that was bound just now.
func (s *signing) keepOnlyProved() error {
	all, err := s.Tx.Factors(s.user.Account, s.user.ID)
	if err != nil {
		return err
	}
	for i := range all {
		kept := false
		for _, p := range s.flow.Proved {
			kept = kept || p.Factor == all[i].ID
		}
		if kept {
			continue
		}
		if err := s.Tx.DeleteFactor(s.user.Account, all[i].ID); err != nil {
			return err
		}
	}
	return nil
}

// reset ends root's session credentials, and lifts networks that keep it out.
func (s *signing) reset() error {
	p, err := s.Tx.Preferences(s.user.Account)
	if err != nil {
		return err
	}
	p.Root.Since = s.Now
	if !p.Root.Admits(s.Call.Source.IP) {
		p.Root.Networks, p.Root.Changed, p.Root.By = "", s.Now, onHost
		s.ev.Params["lifted"] = "networks"
	}
	return s.Tx.SetPreferences(s.user.Account, p)
}
