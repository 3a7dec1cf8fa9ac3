package ops

import (
	"slices"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/signin"
	"warifu/internal/store"
)

// Somebody who has no session binds a factor at sign-in, where one is asked for
// and there is none, or behind an enrolment link. Both offer the same, and take
// the same forms.

// SubmitPair is two consecutive codes of the device that is being bound, the
// older first.
type SubmitPair struct {
	Serial       string // of a token that was given to the user; "" = the device that is shown
	Code1, Code2 string
}

// SubmitNewPasskey is a new passkey, in the place of a device.
type SubmitNewPasskey struct {
	Name     string // "" = after its make
	Response string
}

// SubmitAddress asks for a code to be sent to an address that is to be bound. The
// page stays.
type SubmitAddress struct {
	Kind    iam.FactorKind // email, sms
	Address string
}

// SubmitAddressCode is the code that came there.
type SubmitAddressCode struct {
	Kind iam.FactorKind
	Code string
}

func (SubmitPair) act() signin.Act        { return signin.BoundFactor }
func (SubmitNewPasskey) act() signin.Act  { return signin.BoundFactor }
func (SubmitAddress) act() signin.Act     { return signin.Look }
func (SubmitAddressCode) act() signin.Act { return signin.BoundFactor }

func (in SubmitPair) record() audit.Fields {
	if in.Serial != "" {
		return audit.Fields{"step": "bind", "serialNumber": clipped(in.Serial)}
	}
	return audit.Fields{"step": "bind"}
}
func (in SubmitNewPasskey) record() audit.Fields {
	return audit.Fields{"step": "bind", "kind": string(iam.FactorPasskey), "name": clipped(in.Name)}
}
func (in SubmitAddress) record() audit.Fields {
	return audit.Fields{"step": "begin", "kind": string(in.Kind), "address": clipped(in.Address)}
}
func (in SubmitAddressCode) record() audit.Fields {
	return audit.Fields{"step": "bind", "kind": string(in.Kind)}
}

// Bindable is what may be bound, as things are.
type Bindable struct {
	Device    *NewDevice   // what to scan
	Passkey   string       // what to ask the browser for, JSON; "" = passkeys cannot be used
	Tokens    []string     // serial numbers of tokens that were given to the user
	Addresses []NewAddress // of the kinds that the account lets count
}

// NewAddress is a kind of address that may be bound.
type NewAddress struct {
	Kind iam.FactorKind
	Code *CodeSent // under way; nil = an address is asked for
}

// binding is a place where a factor is bound without a session.
type binding struct {
	*Env
	user  *iam.User
	bound []byte      // hash of the sign-in's or the link's secret, which challenges belong to; nil = not kept yet
	shown *iam.Factor // the pending device that is shown; nil if it is gone
	own   bool        // it is known to be the user who binds
}

func (b *binding) asking(p Purpose) asking { return asking{purpose: p, bound: b.bound, user: b.user} }

// take judges a form, and binds its factor. It reports false for one that is not
// right, which is counted.
//
// Errors: Throttled; Limit; Exists, noun "passkey" or "key name"; Conflict, noun
// "code", when another one must be sent; Unmodifiable; Invalid.
func (b *binding) take(form Submission) (f *iam.Factor, ok bool, err error) {
	switch form := form.(type) {
	case SubmitPair:
		if f, err = b.paired(form.Serial); err == nil && f != nil {
			ok, err = b.bindPending(f, b.user, b.own, form.Code1, form.Code2)
		}
	case SubmitNewPasskey:
		f, ok, err = b.keepKey(b.asking(toBindKey), newKey{called: form.Name, response: form.Response, own: b.own})
	case SubmitAddress:
		err = b.askAddress(b.asking(toBindAddress(form.Kind)), form.Kind, form.Address, b.own)
	case SubmitAddressCode:
		f, err = b.takeAddress(b.asking(toBindAddress(form.Kind)), form.Kind, form.Code, b.own)
		ok, err = fits(err)
	}
	return f, ok, err
}

// paired is the device that two codes are of; nil for a token that the user was
// not given.
func (b *binding) paired(serial string) (*iam.Factor, error) {
	if serial == "" {
		return b.shown, nil
	}
	all, err := b.tokensFor(b.user)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(t HardwareToken) bool { return t.Name == serial })
	if i < 0 {
		return nil, nil
	}
	return b.Tx.FactorByID(b.user.Account, all[i].ID)
}

// offer is what the page shows.
func (b *binding) offer(d *NewDevice) (o Bindable, err error) {
	o.Device = d
	if b.bound == nil {
		return o, nil
	}
	if b.passkeys.rp != nil {
		if o.Passkey, err = b.createKey(b.asking(toBindKey), 0); err != nil {
			return o, err
		}
	}
	tokens, err := b.tokensFor(b.user)
	if err != nil {
		return o, err
	}
	for _, t := range tokens {
		o.Tokens = append(o.Tokens, t.Name)
	}
	for _, kind := range []iam.FactorKind{iam.FactorEmail, iam.FactorSMS} {
		if err := b.mayBind(b.user, kind, b.own); fault.KindOf(err) == fault.Internal && err != nil {
			return o, err
		} else if err != nil {
			continue
		}
		a := NewAddress{Kind: kind}
		if a.Code, err = b.codeUnderWay(b.asking(toBindAddress(kind)), kind); err != nil {
			return o, err
		}
		o.Addresses = append(o.Addresses, a)
	}
	return o, nil
}

// tokensFor lists the tokens that were given to a user and wait for two codes.
func (env *Env) tokensFor(u *iam.User) (own []HardwareToken, err error) {
	for after := (store.After{}); ; {
		rows, err := env.Tx.TokensPage(u.Account, after, MaxPage)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			t, err := env.hardware(&rows[i])
			if err != nil {
				return nil, err
			}
			if t.For == u.ID && t.User == 0 && !t.Lost {
				own = append(own, t)
			}
		}
		if len(rows) < MaxPage {
			return slices.Clip(own), nil
		}
		after = store.After{Name: rows[len(rows)-1].Name, ID: rows[len(rows)-1].ID}
	}
}
