package alibaba_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"warifu/internal/api/aws"
	"warifu/internal/api/oci"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// somebody is a user with credentials for each door.
type somebody struct {
	d           *door
	awsURL      string
	ociURL      string
	oracleKey   *rsa.PrivateKey
	oracleKeyID string
}

// gone is a noun to delete, by what each door calls it.
type gone struct {
	noun, name string // User, Group
	id         name.ID
}

// delete asks a door to delete a noun, and tells the status.
func (s *somebody) delete(door string, g gone) int {
	s.d.t.Helper()
	switch door {
	case "alibaba":
		return s.d.try("Delete"+g.noun, g.noun+"Name", g.name).status
	case "aws":
		form := url.Values{"Action": {"Delete" + g.noun}, "Version": {"2010-05-08"}, g.noun + "Name": {g.name}}.Encode()
		req, err := http.NewRequest("POST", s.awsURL+"/", strings.NewReader(form))
		if err != nil {
			s.d.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		sum := sha256.Sum256([]byte(form))
		cred := sdk.Credentials{AccessKeyID: s.d.key.id, SecretAccessKey: s.d.key.secret}
		if err := v4.NewSigner().SignHTTP(s.d.t.Context(), cred, req, hex.EncodeToString(sum[:]), "iam", "us-east-1", s.d.Clock.Now()); err != nil {
			s.d.t.Fatal(err)
		}
		return s.d.roundTrip(req).status
	}
	kind := map[string]string{"User": name.OCIUser, "Group": name.OCIGroup}[g.noun]
	req, err := http.NewRequest("DELETE", s.ociURL+"/20160918/"+strings.ToLower(g.noun)+"s/"+g.id.OCID(kind), nil)
	if err != nil {
		s.d.t.Fatal(err)
	}
	date := s.d.Clock.Now().UTC().Format(http.TimeFormat)
	req.Header.Set("Date", date)
	text := "date: " + date + "\n(request-target): delete " + req.URL.Path + "\nhost: " + req.Host
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(nil, s.oracleKey, crypto.SHA256, sum[:])
	if err != nil {
		s.d.t.Fatal(err)
	}
	req.Header.Set("Authorization", fmt.Sprintf(`Signature version="1",keyId=%q,algorithm="rsa-sha256",headers="date (request-target) host",signature=%q`,
		s.oracleKeyID, base64.StdEncoding.EncodeToString(sig)))
	return s.d.roundTrip(req).status
}

// An explicit deny in any language stops an operation at every door: each language
// and each door, for users and for groups. What the deny does not name goes on.
func TestDeniesOfEachLanguageAtEachDoor(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		quiet := slog.New(slog.DiscardHandler)
		awsDoor := httptest.NewServer(aws.New(aws.Config{Ops: d.Server, Log: quiet, Client: client}))
		defer awsDoor.Close()
		ociDoor := httptest.NewServer(oci.New(oci.Config{Ops: d.Server, Log: quiet, Client: client}))
		defer ociDoor.Close()
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		admin := d.Admin(t)

		// give attaches a policy of AWS's or Alibaba Cloud's language.
		give := func(user, called, document string) {
			call := admin
			if strings.Contains(document, `"Version":"1"`) {
				call.Source.Language = "ram"
			}
			p := testkit.Do(t, d.World, call, ops.CreatePolicy, ops.CreatePolicyIn{Name: called, Document: document})
			testkit.Do(t, d.World, call, ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: user}, Policy: p.ARN()})
		}
		made := 0
		fresh := func(noun string) gone {
			made++
			g := gone{noun: noun, name: fmt.Sprintf("x%d", made)}
			if noun == "User" {
				g.id = testkit.Do(t, d.World, admin, ops.CreateUser, ops.CreateUserIn{Name: g.name}).ID
			} else {
				g.id = testkit.Do(t, d.World, admin, ops.CreateGroup, ops.CreateGroupIn{Name: g.name}).ID
			}
			return g
		}
		nouns, doors := []string{"User", "Group"}, []string{"aws", "alibaba", "oci"}
		for _, noun := range nouns {
			for language, deny := range map[string]func(user string){
				"aws": func(user string) {
					give(user, "deny-"+user, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:Delete`+noun+`","Resource":"*"}}`)
				},
				"ram": func(user string) {
					give(user, "deny-"+user, `{"Version":"1","Statement":[{"Effect":"Deny","Action":"ram:Delete`+noun+`","Resource":"*"}]}`)
				},
				"oci": func(user string) {
					testkit.Do(t, d.World, admin, ops.CreateGroup, ops.CreateGroupIn{Name: "g-" + user})
					testkit.Do(t, d.World, admin, ops.AddUserToGroup, ops.MemberIn{Group: ops.Ref{Name: "g-" + user}, User: ops.Ref{Name: user}})
					testkit.Do(t, d.World, admin, ops.OracleCreatePolicy, ops.OracleNounIn{
						Compartment: admin.Caller.Account.Tenancy(), Name: "deny-" + user, Described: ops.Described{Description: new("deny")},
						Statements: []string{"deny group g-" + user + " to {" + strings.ToUpper(noun) + "_DELETE} in tenancy"},
					})
				},
			} {
				user := strings.ToLower(noun) + "-" + language
				as := d.userKey(user)
				give(user, "all-"+user, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
				k, err := d.AddOracleKeyFor(t.Context(), user, public)
				if err != nil {
					t.Fatal(err)
				}
				s := &somebody{as, awsDoor.URL, ociDoor.URL, private, k.Account.Tenancy() + "/" + k.User.OCID(name.OCIUser) + "/" + k.Fingerprint}
				other := nouns[1]
				if noun == other {
					other = nouns[0]
				}
				for _, at := range doors {
					if status := s.delete(at, fresh(noun)); status/100 != 2 {
						t.Errorf("%s at %s before anything denies it: %d", noun, at, status)
					}
				}
				deny(user)
				for _, at := range doors {
					want := 403
					if at == "oci" {
						want = 404 // Oracle does not tell what it hides
					}
					if status := s.delete(at, fresh(noun)); status != want {
						t.Errorf("a deny of deleting a %s in %s at %s: %d, want %d", noun, language, at, status, want)
					}
					if status := s.delete(at, fresh(other)); status/100 != 2 {
						t.Errorf("a deny of deleting a %s in %s stops deleting a %s at %s: %d", noun, language, other, at, status)
					}
				}
			}
		}
	})
}
