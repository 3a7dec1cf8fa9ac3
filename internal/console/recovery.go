package console

import (
	"warifu/internal/ops"
	"warifu/internal/seal"
)

func recoveryRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: "/security/recovery", Who: SignedIn, Fresh: true, do: recoveryPage},
		{Method: "POST", Pattern: "/security/recovery", Who: SignedIn, do: makeRecovery},
		{Method: "POST", Pattern: "/security/recovery/drop", Who: SignedIn, do: dropRecovery},
	}
}

// recoveryPage tells of the person's codes and offers new ones.
func recoveryPage(rq *request) error {
	s, err := run(rq, ops.GetRecoveryStatus, struct{}{})
	if err != nil {
		return err
	}
	return rq.page("recovery/home", rq.backTo(rq.t("recovery.title")), s)
}

// recoveryCodes are codes at the one moment when they are shown.
type recoveryCodes struct {
	Codes   []seal.Secret
	User    string
	Account string
}

// makeRecovery makes codes and shows them: the page that a reload does not bring
// back.
func makeRecovery(rq *request) error {
	codes, err := run(rq, ops.MakeRecoveryCodes, struct{}{})
	if err != nil {
		return rq.form().again(err, nil, func() error { return recoveryPage(rq) })
	}
	me := rq.me()
	return rq.page("recovery/codes", rq.backTo(rq.t("recovery.codes.title")), recoveryCodes{codes, me.Name, me.Account})
}

func dropRecovery(rq *request) error {
	if _, err := run(rq, ops.DropRecoveryCodes, struct{}{}); err != nil {
		return rq.form().again(err, nil, func() error { return recoveryPage(rq) })
	}
	return rq.done("/security", "flash.recovery.dropped")
}
