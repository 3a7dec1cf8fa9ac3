package totp

import (
	"time"

	"github.com/go-json-experiment/json"

	"warifu/internal/fault"
)

// kept is how a device's parameters are kept: what is left out has its default.
type kept struct {
	Algorithm string `json:"algorithm,omitzero"`
	Digits    int    `json:"digits,omitzero"`
	Period    int    `json:"period,omitzero"` // seconds
}

// Data is the parameters as they are kept with a device; "" for the defaults.
func (p Params) Data() string {
	var k kept
	if p.Algorithm != SHA1 {
		k.Algorithm = p.Algorithm.String()
	}
	if p.digits() != 6 {
		k.Digits = p.digits()
	}
	if p.period() != 30 {
		k.Period = int(p.period())
	}
	if k == (kept{}) {
		return ""
	}
	b, err := json.Marshal(k)
	if err != nil {
		panic("totp: JSON refuses parameters: " + err.Error())
	}
	return string(b)
}

// ParseData reads what Data wrote. Members that are not the parameters' are let
// be: a token keeps more beside them.
func ParseData(data string) (p Params, err error) {
	if data == "" {
		return p, nil
	}
	var k kept
	if err := json.Unmarshal([]byte(data), &k); err != nil {
		return p, fault.Wrap(err, "read a device's parameters")
	}
	if k.Algorithm != "" {
		if p.Algorithm, err = ParseAlgorithm(k.Algorithm); err != nil {
			return p, err
		}
	}
	p.Digits, p.Period = k.Digits, time.Duration(k.Period)*time.Second
	return p, p.Check()
}

// ParseAlgorithm reads the name of an algorithm.
func ParseAlgorithm(s string) (Algorithm, error) {
	for _, a := range []Algorithm{SHA1, SHA256, SHA512} {
		if s == a.String() {
			return a, nil
		}
	}
	return 0, fault.Field("algorithm", "the algorithm must be SHA1, SHA256 or SHA512")
}
