package config

// Passkeys says how passkeys are asked for; what it leaves out follows from the
// public URL.
type Passkeys struct {
	RPID       string   // domain that credentials are bound to; "" = the public URL's host
	AppID      string   // by which keys were registered by FIDO U2F; "" = the public URL
	OnRollback string   // block, flag
	Roots      string   // file of root certificates (PEM) that attestations must lead to; "" = none are asked for
	AAGUIDs    []string // makes that may be registered; none = all
}

func setPasskeyAAGUIDs(c *Config, v string) error {
	c.Passkeys.AAGUIDs = list(v)
	return nil
}
