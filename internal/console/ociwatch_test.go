package console

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"warifu/internal/ops"
	sig "warifu/internal/reqsig/oci"
	"warifu/internal/testkit"
)

// An administrator learns by a request's id why it was refused, and which statements
// do less than they seem to.
func TestWatchOraclesClients(t *testing.T) {
	s := open(t)
	s.user(t, "boss", adminWord, false, adminPolicy)
	s.user(t, "alice", adminWord, false)
	admin := s.World.Admin(t)
	testkit.Do(t, s.World, admin, ops.CreateGroup, ops.CreateGroupIn{Name: "Team"})
	testkit.Do(t, s.World, admin, ops.AddUserToGroup, ops.MemberIn{Group: ops.Ref{Name: "Team"}, User: ops.Ref{Name: "alice"}})
	text := "for the team"
	testkit.Do(t, s.World, admin, ops.OracleCreatePolicy, ops.OracleNounIn{
		Compartment: testkit.Account.Tenancy(), Name: "team", Described: ops.Described{Description: &text},
		Statements: []string{"allow group Team to manage users in tenancy where request.user.mfaTotpVerified='true'", "allow group Team to manage groups in tenancy where target.group.name = 'x'"},
	})

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.World.AddOracleKeyFor(context.Background(), "alice", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	if err != nil {
		t.Fatal(err)
	}
	own := testkit.Do(t, s.World, admin, ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "alice"}})
	call := s.World.As(t, own.ID, "")
	call.Caller.Oracle = &ops.OracleCredential{Fingerprint: k.Fingerprint}
	call.At = s.World.Clock.Now()
	call.EventID = s.World.NewEventID(call.At)
	call.RequestID = sig.RequestID("client", s.World.NewRequestID(), call.EventID)
	testkit.Fails(t, s.World, call, ops.OracleListUsers, ops.OracleListIn{Compartment: testkit.Account.Tenancy()})

	s.signIn(t, "boss", adminWord)
	says(t, s.get(oraclePath), 200, "Note", "target.group.name has no value in ListGroups and CreateGroup")
	says(t, s.get(oraclePath+"?request="+call.RequestID), 200, "USER_INSPECT", "team, statement 1: allow group Team to manage users",
		"request.user.mfaTotpVerified='true' (the request has 'false')", "Allow group &lt;name&gt; to inspect users in tenancy")
	says(t, s.get(oraclePath+"?request="+call.EventID), 200, "USER_INSPECT")
	says(t, s.get(oraclePath+"?request=x"), 200, "ends in 32 hexadecimal digits")
	says(t, s.get(oraclePath+"?request=00000000-0000-0000-0000-000000000000"), 200, "No request of this account")

	s.cookies = map[string]string{}
	s.signIn(t, "alice", adminWord)
	says(t, s.get(oraclePath), 403)
}
