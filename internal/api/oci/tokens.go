package oci

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"warifu/internal/ops"
	"warifu/internal/seal"
)

// Where command lines get session tokens: identitydataplane's paths, which lie beside
// the Identity API's.
const (
	upstPath    = "/v1/token/upst/actions/GenerateUpst"
	refreshPath = "/v1/authentication/refresh"
)

// minutes is a number that the command line sends as a text and SDKs as a number.
type minutes int

// UnmarshalJSON implements json.Unmarshaler.
func (m *minutes) UnmarshalJSON(b []byte) error {
	n, err := strconv.Atoi(strings.Trim(string(b), `"`))
	*m = minutes(n)
	return err
}

type upstIn struct {
	Body struct {
		PublicKey string  `json:"publicKey" required:"true"`
		Minutes   minutes `json:"sessionExpirationInMinutes"`
	} `body:""`
}

type refreshIn struct {
	Body struct {
		CurrentToken string `json:"currentToken" required:"true"`
	} `body:""`
}

func sessionOf(s *ops.OracleSession, _ *reply) *ops.OracleSession { return s }

func tokenBindings() []binding {
	return []binding{
		bind("GenerateUpst", http.MethodPost, upstPath, ops.GenerateUPST, func(in *upstIn) (ops.GenerateUPSTIn, error) {
			return ops.GenerateUPSTIn{Key: in.Body.PublicKey, Minutes: int(in.Body.Minutes)}, nil
		}, sessionOf),
		bind("Refresh", http.MethodPost, refreshPath, ops.RefreshUPST, func(in *refreshIn) (seal.Secret, error) {
			return seal.NewSecret([]byte(in.Body.CurrentToken)), nil
		}, sessionOf),
	}
}

// sign puts the token of a session into the answer, if it is one of a session.
func (d *Door) sign(req *request, r *reply) error {
	s, ok := r.body.(*ops.OracleSession)
	if !ok {
		return nil
	}
	if err := d.Ops.SignOracle(req.Context(), s); err != nil {
		return err
	}
	r.body = map[string]string{"token": reveal(s.Plain)}
	return nil
}

var _ json.Unmarshaler = (*minutes)(nil)
