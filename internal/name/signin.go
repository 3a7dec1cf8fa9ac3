package name

// The resources of AWS's actions that let a command line act for a person who is
// signed in to the console: one for a command line on the same machine as the
// browser, one for any other.
const (
	signInPrefix = "arn:aws:signin:us-east-1:"

	localClient  = ":oauth2/public-client/localhost"
	remoteClient = ":oauth2/public-client/remote"
)

// CLIClientARN is what policies call a command line of an account; remote says
// that it may be on another machine than the browser.
func CLIClientARN(a Account, remote bool) string {
	if remote {
		return signInPrefix + a.String() + remoteClient
	}
	return signInPrefix + a.String() + localClient
}

// The OAuth client ids of AWS's command line and SDKs.
const (
	CLISameDevice  = "arn:aws:signin:::devtools/same-device"  // on the machine of the browser
	CLICrossDevice = "arn:aws:signin:::devtools/cross-device" // on another
)
