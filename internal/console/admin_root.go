package console

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/seal"
)

const rootPath = "/console/root"

func rootRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: rootPath, Who: SignedIn, Nav: "nav.root", Section: sectionSignIn, Icon: "lock", do: rootUserPage},
		{Method: "POST", Pattern: rootPath, Who: SignedIn, do: saveRootRules},
	}
}

// recoverRoutes are root's way back in, with a link from the host.
func recoverRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: "/recover/{token}", Who: Anyone, do: recoverPage},
		{Method: "POST", Pattern: "/recover/{token}", Who: Anyone, do: beginRecovery},
	}
}

// rootData is the page about the root user.
type rootData struct {
	Is     *ops.RootUser
	Impact *ops.RootImpact // of what the form asks for; nil before it was looked at
	Seen   string          // mark of what the impact is of
	Hint   string          // of the networks
	Most   int             // characters of them
}

func rootUserPage(rq *request) error { return showRoot(rq, nil) }

func showRoot(rq *request, impact *ops.RootImpact) error {
	is, err := run(rq, ops.GetRootUser, struct{}{})
	if err != nil {
		return err
	}
	d := rootData{Is: is, Impact: impact, Most: iam.MaxNetworkText}
	d.Hint = rq.t("root.networks.hint") + " " + rq.t("prefs.masks.here", "address", rq.source.IP.String())
	d.Seen = rq.rootMark(&is.Rules)
	return rq.page("admin/root", rq.t("nav.root"), d)
}

// rootRules are the rules that the form asks for.
func (rq *request) rootRules() (r iam.RootRules) {
	f := rq.form()
	r.MFA, r.NoKeys, r.Networks = f.Get("mfa") != "", f.Get("nokeys") != "", strings.TrimSpace(f.text("networks"))
	return r
}

// rootMark tells rules that were looked at from any others, and from the same after
// somebody else has changed what they replace. It is no secret.
func (rq *request) rootMark(now *iam.RootRules) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v %+v", rq.rootRules(), *now))
	return hex.EncodeToString(sum[:8])
}

// saveRootRules shows what would change, and saves it at the second press, if it is
// still what was shown.
func saveRootRules(rq *request) error {
	f := rq.form()
	is, err := run(rq, ops.GetRootUser, struct{}{})
	if err != nil {
		return err
	}
	in := ops.RootRulesIn{RootRules: rq.rootRules(), Confirmed: f.Get("confirm") != ""}
	seen := f.Get("seen") == rq.rootMark(&is.Rules)
	if f.Get("do") == "save" && seen {
		if _, err = run(rq, ops.SetRootRules, in); err == nil {
			return rq.done(rootPath, "flash.saved")
		}
	}
	impact, e := run(rq, ops.PreviewRootRules, in)
	if err == nil {
		err = e
	}
	again := func() error { return showRoot(rq, impact) }
	switch {
	case err != nil:
		return f.again(err, fields{"LoginNetworkMasks": "networks"}, again)
	case f.Get("do") == "save":
		f.Note = rq.t("prefs.look")
		return f.again(nil, nil, again)
	}
	return again()
}

// recoverPage is what a link to recover root shows: nothing happens before the
// button is pressed (H-5).
func recoverPage(rq *request) error {
	info, err := run(rq, ops.InspectRecovery, ops.InspectSetupIn{Token: seal.NewSecret([]byte(rq.path("token")))})
	if err != nil {
		return err
	}
	return rq.page("signin/recover", rq.t("recover.title"), info)
}

// beginRecovery opens the way back in.
func beginRecovery(rq *request) error {
	if err := rq.checkToken(); err != nil {
		return err
	}
	s, err := rq.submit(ops.SubmitRecovery{Token: seal.NewSecret([]byte(rq.path("token")))})
	if err != nil {
		return err
	}
	return rq.goOn(s, "")
}
