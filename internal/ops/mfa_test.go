package ops_test

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// forceMFA is the part of the tutorial's policy that a user's enrolment needs,
// and its deny as it stands.
const forceMFA = `{"Version": "2012-10-17", "Statement": [
 {"Sid": "AllowViewAccountInfo", "Effect": "Allow", "Action": ["iam:GetAccountPasswordPolicy", "iam:ListVirtualMFADevices"], "Resource": "*"},
 {"Sid": "AllowManageOwnAccessKeys", "Effect": "Allow", "Action": ["iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:UpdateAccessKey"], "Resource": "arn:aws:iam::*:user/${aws:username}"},
 {"Sid": "AllowManageOwnVirtualMFADevice", "Effect": "Allow", "Action": ["iam:CreateVirtualMFADevice"], "Resource": "arn:aws:iam::*:mfa/*"},
 {"Sid": "AllowManageOwnUserMFA", "Effect": "Allow", "Action": ["iam:DeactivateMFADevice", "iam:EnableMFADevice", "iam:GetMFADevice", "iam:ListMFADevices", "iam:ResyncMFADevice"], "Resource": "arn:aws:iam::*:user/${aws:username}"},
 {"Sid": "DenyAllExceptListedIfNoMFA", "Effect": "Deny", "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "iam:GetMFADevice", "iam:ListMFADevices", "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken"], "Resource": "*",
  "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}]}`

// person is a user with a key and perhaps a device.
type person struct {
	w      *testkit.World
	name   string
	key    *ops.NewKey
	serial string
	seed   string
}

// newPerson makes a user with a key and one inline policy.
func newPerson(t testing.TB, w *testkit.World, user, policy string) *person {
	t.Helper()
	admin := w.Admin(t)
	testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: user})
	if policy != "" {
		testkit.Do(t, w, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ops.Ref{Name: user}, Policy: "own", Document: policy})
	}
	return &person{w: w, name: user, key: testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: user}})}
}

// call is a call with the person's key alone.
func (p *person) call(t testing.TB) ops.Call { t.Helper(); return p.w.As(t, p.key.ID, "") }

// create makes a device and leaves it pending.
func (p *person) create(t testing.TB, device string) *ops.NewDevice {
	t.Helper()
	d := testkit.Do(t, p.w, p.call(t), ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: device})
	p.serial, p.seed = d.ARN(), string(d.SeedText.Reveal())
	return d
}

// pair is the input of an enabling or resynchronisation whose second code is the
// one of the clock's period, moved by steps.
func (p *person) pair(t testing.TB, steps int) ops.PairIn {
	t.Helper()
	return ops.PairIn{User: ops.Ref{Name: p.name}, Serial: p.serial, Code1: p.code(t, steps-1), Code2: p.code(t, steps)}
}

// code is what the device shows now, or steps later.
func (p *person) code(t testing.TB, steps int) string {
	t.Helper()
	return testkit.Code(t, p.seed, p.w.Clock.Now().Add(time.Duration(steps)*30*time.Second))
}

// enrol makes and enables a device, and waits until its next code.
func (p *person) enrol(t testing.TB) {
	t.Helper()
	p.create(t, p.name)
	testkit.Do(t, p.w, p.call(t), ops.EnableMFADevice, p.pair(t, 0))
	p.w.Clock.Advance(time.Minute)
}

// session asks for a session with a code.
func (p *person) session(t testing.TB, code string) (*ops.NewSession, error) {
	t.Helper()
	return ops.Run(context.Background(), p.w.Server, p.call(t), ops.GetSessionToken, ops.GetSessionTokenIn{Serial: p.serial, Code: code})
}

// faultIs checks kind and noun.
func faultIs(t testing.TB, err error, kind fault.Kind, noun string) {
	t.Helper()
	f := &fault.Error{}
	if !asFault(err, &f) || f.Kind != kind || f.Noun != noun {
		t.Fatalf("error is %v, want %v about %q", err, kind, noun)
	}
}

func TestTutorialEnrolment(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		p := newPerson(t, w, "MFAUser", forceMFA)

		// The key alone is refused, by the deny that names the missing factor.
		err := testkit.Fails(t, w, p.call(t), ops.ListAccessKeys, ops.UserListing{})
		d, ok := ops.AsDenial(err)
		if !ok || d.Decision.Rule == nil || d.Decision.Rule.Sid != "DenyAllExceptListedIfNoMFA" {
			t.Fatalf("refused by %v", err)
		}

		dev := p.create(t, "MFAUser")
		if got := dev.ARN(); got != "arn:aws:iam::123456789012:mfa/MFAUser" {
			t.Errorf("serial %s", got)
		}
		if len(p.seed) != 64 {
			t.Errorf("seed has %d characters", len(p.seed))
		}
		if _, err := png.Decode(bytes.NewReader(dev.PNG.Reveal())); err != nil {
			t.Errorf("QR code: %v", err)
		}
		if uri := string(dev.URI.Reveal()); !strings.HasPrefix(uri, "otpauth://totp/Warifu%20acme%20-%20MFAUser?secret="+p.seed) {
			t.Errorf("label of %s", strings.ReplaceAll(uri, p.seed, "…"))
		}
		if n := len(testkit.Do(t, w, p.call(t), ops.ListMFADevices, ops.UserListing{}).Items); n != 0 {
			t.Errorf("a device that was never enabled is listed as the user's")
		}

		faultIs(t, testkit.Fails(t, w, p.call(t), ops.EnableMFADevice, ops.PairIn{User: ops.Ref{Name: p.name}, Serial: p.serial, Code1: "000000", Code2: "000001"}), fault.BadCode, "mfa device")
		testkit.Do(t, w, p.call(t), ops.EnableMFADevice, p.pair(t, 0))
		faultIs(t, testkit.Fails(t, w, p.call(t), ops.EnableMFADevice, p.pair(t, 2)), fault.Exists, "bound mfa device")
		if n := len(testkit.Do(t, w, p.call(t), ops.ListMFADevices, ops.UserListing{}).Items); n != 1 {
			t.Errorf("%d devices are listed", n)
		}

		// C-1: the codes that enabled the device prove nothing any more.
		for steps := -1; steps <= 0; steps++ {
			_, err := p.session(t, p.code(t, steps))
			faultIs(t, err, fault.Denied, "mfa code")
		}

		w.Clock.Advance(30 * time.Second)
		s, err := p.session(t, p.code(t, 0))
		if err != nil {
			t.Fatal(err)
		}
		with := w.As(t, s.AccessKeyID, s.Token)
		testkit.Do(t, w, with, ops.ListAccessKeys, ops.UserListing{})
		if m := with.Caller.MFA; !m.Present || !m.At.Equal(w.Clock.Now()) || len(m.Methods) != 1 || m.Methods[0] != ops.MethodTOTP {
			t.Errorf("the session says %+v", m)
		}

		// Without a code the session is no better than the key.
		s = testkit.Do(t, w, p.call(t), ops.GetSessionToken, ops.GetSessionTokenIn{})
		if !fault.Is(testkit.Fails(t, w, w.As(t, s.AccessKeyID, s.Token), ops.ListAccessKeys, ops.UserListing{}), fault.Unauthenticated) {
			t.Error("a session without MFA may use IAM")
		}

		// The administrator takes the lost device away; the user enrols again
		// under the same name.
		testkit.Do(t, w, w.Admin(t), ops.DeactivateMFADevice, ops.DeviceIn{User: ops.Ref{Name: p.name}, Serial: p.serial})
		_, err = p.session(t, p.code(t, 1))
		faultIs(t, err, fault.Denied, "mfa serial")
		old := p.seed
		p.enrol(t)
		if p.seed == old {
			t.Error("the new device has the old seed")
		}
		if _, err := p.session(t, p.code(t, 0)); err != nil {
			t.Error(err)
		}
	})
}

// C-1, C-2: of 200 attempts at once with one code one succeeds, and the others
// look like a wrong code.
func TestOneCodeServesOnce(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		p := newPerson(t, w, "alice", forceMFA)
		p.enrol(t)
		call, code := p.call(t), p.code(t, 0)
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				_, err := ops.Run(context.Background(), w.Server, call, ops.GetSessionToken, ops.GetSessionTokenIn{Serial: p.serial, Code: code})
				switch {
				case err == nil:
					won.Add(1)
				case !fault.Is(err, fault.Denied):
					t.Errorf("a loser got %v", err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of 200 won", won.Load())
		}
	})
}

// C-1: a code that one operation took is refused by every other.
func TestCodeServesOneOperation(t *testing.T) {
	trust := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}}`
	allow := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`
	uses := map[string]func(*testing.T, *person, string, string) error{
		"GetSessionToken": func(t *testing.T, p *person, _, code string) error { _, err := p.session(t, code); return err },
		"AssumeRole": func(t *testing.T, p *person, _, code string) error {
			_, err := ops.Run(context.Background(), p.w.Server, p.call(t), ops.AssumeRole, ops.AssumeRoleIn{
				RoleARN: "arn:aws:iam::123456789012:role/guarded", SessionName: "s1", Serial: p.serial, Code: code,
			})
			return err
		},
		"ResyncMFADevice": func(t *testing.T, p *person, before, code string) error {
			_, err := ops.Run(context.Background(), p.w.Server, p.call(t), ops.ResyncMFADevice, ops.PairIn{
				User: ops.Ref{Name: p.name}, Serial: p.serial, Code1: before, Code2: code,
			})
			return err
		},
	}
	w := testkit.New(t)
	testkit.Do(t, w, w.Admin(t), ops.CreateRole, ops.CreateRoleIn{Name: "guarded", Trust: trust})
	i := 0
	for first, use := range uses {
		for second, again := range uses {
			t.Run(first+" then "+second, func(t *testing.T) {
				i++
				p := newPerson(t, w, fmt.Sprintf("user%d", i), allow)
				p.enrol(t)
				if err := use(t, p, p.code(t, -1), p.code(t, 0)); err != nil {
					t.Fatal(err)
				}
				if err := again(t, p, p.code(t, -1), p.code(t, 0)); !fault.Is(err, fault.Denied) && !fault.Is(err, fault.BadCode) {
					t.Errorf("the second time: %v", err)
				}
			})
		}
	}
}

// C-3, C-4, C-5: wrong codes are counted though they are refused; when the
// budget is spent the right code fails in the same words; two consecutive codes
// give the budget back.
func TestBudgetOfCodes(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		p := newPerson(t, w, "alice", forceMFA)
		p.enrol(t)
		wrong := func() string {
			for c := 0; ; c++ {
				s := fmt.Sprintf("%06d", c)
				if s != p.code(t, -1) && s != p.code(t, 0) && s != p.code(t, 1) {
					return s
				}
			}
		}
		// One short of the budget a right code forgives all.
		for range iam.MaxCodeFailures - 1 {
			_, err := p.session(t, wrong())
			faultIs(t, err, fault.Denied, "mfa code")
		}
		if _, err := p.session(t, p.code(t, 0)); err != nil {
			t.Fatalf("within the budget: %v", err)
		}
		for range 3 * iam.MaxCodeFailures {
			p.session(t, wrong())
		}
		w.Clock.Advance(time.Minute)
		_, right := p.session(t, p.code(t, 0))
		_, bad := p.session(t, wrong())
		faultIs(t, right, fault.Denied, "mfa code")
		faultIs(t, bad, fault.Denied, "mfa code")
		testkit.Do(t, w, p.call(t), ops.ResyncMFADevice, p.pair(t, 0))
		w.Clock.Advance(time.Minute)
		if _, err := p.session(t, p.code(t, 0)); err != nil {
			t.Errorf("after resynchronisation: %v", err)
		}
	})
}

// C-3: a client that hangs up is counted all the same.
func TestCountsOutliveTheClient(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		p := newPerson(t, w, "alice", forceMFA)
		p.enrol(t)
		gone, hangUp := context.WithCancel(context.Background())
		hangUp()
		for range iam.MaxCodeFailures {
			_, err := ops.Run(gone, w.Server, p.call(t), ops.GetSessionToken, ops.GetSessionTokenIn{Serial: p.serial, Code: "00000x"})
			faultIs(t, err, fault.Denied, "mfa code")
		}
		_, err := p.session(t, p.code(t, 0))
		faultIs(t, err, fault.Denied, "mfa code")
		events := testkit.Do(t, w, w.Admin(t), ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{Operation: "GetSessionToken"}}).Items
		if len(events) != iam.MaxCodeFailures+1 {
			t.Errorf("the trail has %d of the attempts", len(events))
		}
	})
}

// C-9: a broken-off enrolment runs out, and until then its maker may replace it,
// others may not.
func TestPendingDevice(t *testing.T) {
	w := testkit.New(t)
	alice, bob := newPerson(t, w, "alice", forceMFA), newPerson(t, w, "bob", forceMFA)
	first := alice.create(t, "phone")
	old := *alice

	faultIs(t, testkit.Fails(t, w, bob.call(t), ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "phone"}), fault.Exists, "mfa device")
	if d := alice.create(t, "phone"); d.SeedText.Equal(first.SeedText) {
		t.Error("a pending seed was given out again")
	}
	faultIs(t, testkit.Fails(t, w, alice.call(t), ops.EnableMFADevice, old.pair(t, 0)), fault.BadCode, "mfa device")
	if uri := string(first.URI.Reveal()); !strings.Contains(uri, "Warifu%20acme%20-%20alice%20%28phone%29?") {
		t.Errorf("the label does not tell users apart")
	}

	// One who may delete it may replace it.
	testkit.Do(t, w, w.Admin(t), ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "phone"})
	faultIs(t, testkit.Fails(t, w, alice.call(t), ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "phone"}), fault.Exists, "mfa device")

	w.Clock.Advance(iam.PendingFactorLife)
	serial := ops.SerialIn{Serial: first.ARN()}
	faultIs(t, testkit.Fails(t, w, w.Admin(t), ops.DeleteVirtualMFADevice, serial), fault.NotFound, "mfa device")
	if n := len(testkit.Do(t, w, w.Admin(t), ops.ListVirtualMFADevices, ops.ListVirtualMFADevicesIn{}).Items); n != 0 {
		t.Errorf("%d devices are listed that have run out", n)
	}
	bob.create(t, "phone")

	w.Clock.Advance(iam.PendingFactorLife)
	if err := w.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	counts := testkit.Do(t, w, w.Admin(t), ops.GetAccountSummary, struct{}{})
	if counts.Factors != 0 {
		t.Errorf("%d devices are left after the sweep", counts.Factors)
	}
}

// C-10: neighbouring codes are honoured and remembered as drift; a device that
// drifted away comes back with two codes.
func TestDrift(t *testing.T) {
	w := testkit.New(t)
	p := newPerson(t, w, "alice", forceMFA)
	p.create(t, "alice")
	testkit.Do(t, w, p.call(t), ops.EnableMFADevice, p.pair(t, 1)) // a minute's half ahead
	w.Clock.Advance(5 * time.Minute)
	if _, err := p.session(t, p.code(t, 2)); err != nil {
		t.Errorf("a code two steps ahead of a device that is one ahead: %v", err)
	}
	w.Clock.Advance(10 * time.Minute)
	_, err := p.session(t, p.code(t, 20))
	faultIs(t, err, fault.Denied, "mfa code")
	testkit.Do(t, w, p.call(t), ops.ResyncMFADevice, p.pair(t, 20))
	if _, err := p.session(t, p.code(t, 21)); err != nil {
		t.Errorf("after resynchronisation: %v", err)
	}
	w.Clock.Advance(-time.Hour) // a clock that jumps back reopens nothing
	_, err = p.session(t, p.code(t, 20))
	faultIs(t, err, fault.Denied, "mfa code")
}

func TestVerifyCodeRefusals(t *testing.T) {
	w := testkit.New(t)
	alice, bob := newPerson(t, w, "alice", forceMFA), newPerson(t, w, "bob", forceMFA)
	alice.enrol(t)
	bob.enrol(t)
	for _, c := range []struct{ serial, code, noun string }{
		{alice.serial, "", "half mfa"},
		{"", "123456", "half mfa"},
		{bob.serial, bob.code(t, 0), "mfa serial"},
		{"arn:aws:iam::123456789012:mfa/nothing", "123456", "mfa serial"},
		{"arn:aws:iam::210987654321:mfa/alice", alice.code(t, 0), "mfa serial"},
		{"GAHT12345678", "123456", "mfa serial"},
		{alice.serial, "12345a", "mfa code"},
		{alice.serial, "1234567", "mfa code"},
	} {
		faultIs(t, testkit.Fails(t, w, alice.call(t), ops.GetSessionToken, ops.GetSessionTokenIn{Serial: c.serial, Code: c.code}), fault.Denied, c.noun)
	}
	// C-11: what a person pastes is understood.
	typed := alice.code(t, 0)
	if _, err := alice.session(t, " "+typed[:3]+" "+typed[3:]+"\u200e"); err != nil {
		t.Error(err)
	}
}

func TestDevicesByAdministrator(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	p := newPerson(t, w, "alice", forceMFA)
	for i := range ops.DefaultLimits.FactorsPerUser + 1 {
		d := testkit.Do(t, w, admin, ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: fmt.Sprintf("device%d", i), Path: "/team//a/", Tags: []iam.Tag{{Key: "k", Value: "v"}}})
		p.serial, p.seed = d.ARN(), string(d.SeedText.Reveal())
		if i == ops.DefaultLimits.FactorsPerUser {
			faultIs(t, testkit.Fails(t, w, admin, ops.EnableMFADevice, p.pair(t, 0)), fault.Limit, "MFADevicesPerUser")
			break
		}
		testkit.Do(t, w, admin, ops.EnableMFADevice, p.pair(t, 0))
	}
	first := "arn:aws:iam::123456789012:mfa/team//a/device0"
	ref := ops.Ref{Name: "alice"}
	faultIs(t, testkit.Fails(t, w, admin, ops.DeleteVirtualMFADevice, ops.SerialIn{Serial: first}), fault.Conflict, "assigned device")
	faultIs(t, testkit.Fails(t, w, admin, ops.DeactivateMFADevice, ops.DeviceIn{User: ops.Ref{Name: "nobody"}, Serial: first}), fault.NotFound, "user")
	faultIs(t, testkit.Fails(t, w, admin, ops.DeactivateMFADevice, ops.DeviceIn{User: ops.Ref{Name: "admin"}, Serial: first}), fault.NotFound, "mfa device")
	if got := testkit.Do(t, w, admin, ops.GetMFADevice, ops.DeviceIn{User: ref, Serial: first}); got.UserName != "alice" || !got.Enabled.Equal(testkit.Epoch) {
		t.Errorf("device of %s enabled at %v", got.UserName, got.Enabled)
	}

	// Pages of both lists: each device once, and a cursor serves its own list.
	var all []string
	var cursor string
	for {
		p := testkit.Do(t, w, admin, ops.ListMFADevices, ops.UserListing{User: ref, Listing: ops.Listing{Limit: 3, Cursor: cursor}})
		for _, f := range p.Items {
			all = append(all, f.Name)
		}
		if cursor = string(p.Next); cursor == "" {
			break
		}
		if err := testkit.Fails(t, w, admin, ops.ListVirtualMFADevices, ops.ListVirtualMFADevicesIn{Listing: ops.Listing{Cursor: cursor}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a foreign cursor: %v", err)
		}
	}
	if len(all) != 8 {
		t.Errorf("pages list %v", all)
	}
	for which, want := range map[ops.Assignment]int{ops.AnyAssignment: 9, ops.Assigned: 8, ops.Unassigned: 1} {
		n := 0
		for cursor := ""; ; {
			p := testkit.Do(t, w, admin, ops.ListVirtualMFADevices, ops.ListVirtualMFADevicesIn{Which: which, Listing: ops.Listing{Limit: 2, Cursor: cursor}})
			for _, d := range p.Items {
				if (d.Owner != nil) != (d.User != 0) {
					t.Errorf("owner of %s", d.Name)
				}
				n++
			}
			if cursor = string(p.Next); cursor == "" {
				break
			}
		}
		if n != want {
			t.Errorf("%q: %d devices, want %d", which, n, want)
		}
	}

	// Tags of devices are compared with case.
	serial := ops.SerialIn{Serial: first}
	testkit.Do(t, w, admin, ops.TagMFADevice, ops.TagDeviceIn{SerialIn: serial, Tags: []iam.Tag{{Key: "K", Value: "2"}}})
	testkit.Do(t, w, admin, ops.UntagMFADevice, ops.UntagDeviceIn{SerialIn: serial, Keys: []string{"k"}})
	tags := testkit.Do(t, w, admin, ops.ListMFADeviceTags, ops.DeviceTagsIn{SerialIn: serial}).Items
	if len(tags) != 1 || tags[0] != (iam.Tag{Key: "K", Value: "2"}) {
		t.Errorf("tags %v", tags)
	}

	testkit.Do(t, w, admin, ops.DeactivateMFADevice, ops.DeviceIn{User: ref, Serial: first})
	testkit.Do(t, w, admin, ops.DeleteVirtualMFADevice, serial)
	faultIs(t, testkit.Fails(t, w, admin, ops.DeleteVirtualMFADevice, serial), fault.NotFound, "mfa device")
}

// K-2, C-9: no seed and no code reaches the trail or the log, and the refusal of
// a code does.
func TestTrailOfCodes(t *testing.T) {
	w := testkit.New(t)
	p := newPerson(t, w, "alice", forceMFA)
	p.enrol(t)
	code := p.code(t, 0)
	p.session(t, code)
	w.Clock.Advance(time.Second)
	p.session(t, code)
	events := testkit.Do(t, w, w.Admin(t), ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{Operation: "GetSessionToken"}}).Items
	if len(events) != 2 || events[0].Result != audit.Refused || events[1].Result != audit.Allowed {
		t.Fatalf("the trail has %+v", events)
	}
	all := testkit.Do(t, w, w.Admin(t), ops.LookupEvents, ops.LookupEventsIn{})
	for _, e := range all.Items {
		if s := fmt.Sprintf("%+v", e); strings.Contains(s, p.seed) || strings.Contains(s, code) {
			t.Errorf("a secret is in %s", e.Operation)
		}
	}
	if why := events[0].Why; why != "mfa code: the code was used before" {
		t.Errorf("the refusal is explained with %q", why)
	}
	if events[0].Params["serialNumber"] != p.serial || events[0].Account != name.Account(123456789012) {
		t.Errorf("the refusal says %+v", events[0])
	}
}
