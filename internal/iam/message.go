package iam

import (
	"time"

	"warifu/internal/name"
	"warifu/internal/seal"
)

// Channel is how a message reaches a person.
type Channel string

// The channels.
const (
	ChannelMail    Channel = "mail"
	ChannelSMS     Channel = "sms"
	ChannelWebhook Channel = "webhook" // to a program, at a URL
)

// MessageKind says what a message is for, and so how it is worded.
type MessageKind string

// The kinds of message.
const (
	MessageCode       MessageKind = "code"       // a one-time code
	MessageActivation MessageKind = "activation" // a link that makes an address a factor
	MessageNotice     MessageKind = "notice"     // what the user was told, with the link "this was not me"
	MessageAlarm      MessageKind = "alarm"      // to an administrator: a user pressed that link
	MessageAlert      MessageKind = "alert"      // a query over the trail found much
	MessageTest       MessageKind = "test"       // does sending work?
)

// Message is a message on its way to a person.
type Message struct {
	ID      name.ID
	Account name.Account
	User    name.ID // whom it is about; zero = nobody
	Channel Channel
	Kind    MessageKind
	Created time.Time
	Expires time.Time // afterwards it helps nobody, and is not sent
	Tries   int       // how often sending began, this time included
	Letter  Letter
}

// Letter is what a message says, before it is put into words.
type Letter struct {
	To       string // address, or number with + and country code
	Language string // en, ja, zh

	AccountName string // alias or number
	UserName    string // "" = root
	Purpose     string // of a code: sign-in, step-up, bind

	// Secret is the code, or the secret in the link. Empty where there is none.
	Secret seal.Secret
	Until  time.Time // how long the secret is good

	Notice  NoticeKind // of a notice
	Subject string     // what the notice is about: a device's name, a key's id
	By      string     // who did it; "" = the user, or nobody
	At      time.Time
	Source  string // address that it was done from
	Agent   string // browser that it was done with

	Alert AlertFound // of an alert, whose name is Subject
}

// AlertFound is what an alert tells of.
type AlertFound struct {
	Query            string // name of the kept query
	Found, Threshold int
	Span             time.Duration // up to Letter.At
	Test             bool          // somebody wants to see whether it arrives
}

// NoticeNewBrowser tells of a sign-in with a browser that was not seen before.
const NoticeNewBrowser NoticeKind = "new browser"

// PendingAddress is an address that somebody wants to be a user's factor, until
// the one who reads what is sent there says so. It is no factor: what an
// administrator or a user typed proves nothing (security checklist P-11).
type PendingAddress struct {
	Account name.Account
	User    name.ID
	Kind    FactorKind // email, sms
	Address string
	Hash    []byte // SHA-256 of the secret in the link
	Creator string // name of who sent it
	Created time.Time
	Expires time.Time
}

// NoticeNotMe tells that a user said of a change "this was not me".
const NoticeNotMe NoticeKind = "not me"
