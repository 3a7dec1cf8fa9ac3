package aws

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

func keyActions() []action {
	return []action{
		iamAction("CreateAccessKey", ops.CreateAccessKey, (*ownUserInput).in, func(k *ops.NewKey) newKeyOutput {
			return newKeyOutput{newKey{k.UserName, k.ID, string(k.Status), string(k.Plain.Reveal()), k.Created}}
		}),
		iamAction("DeleteAccessKey", ops.DeleteAccessKey, (*ownKeyInput).in, none),
		iamAction("UpdateAccessKey", ops.UpdateAccessKey, func(s *updateKeyInput) ops.UpdateAccessKeyIn {
			return ops.UpdateAccessKeyIn{KeyIn: s.in(), Status: iam.KeyStatus(s.Status)}
		}, none),
		iamAction("ListAccessKeys", ops.ListAccessKeys, (*ownListInput).in, keyPage),
		iamAction("GetAccessKeyLastUsed", ops.GetAccessKeyLastUsed, func(s *keyInput) ops.KeyIn {
			return ops.KeyIn{Key: s.AccessKeyId}
		}, keyUse),
	}
}

// newKey is an access key with its secret.
type newKey struct {
	UserName        string
	AccessKeyId     string
	Status          string
	SecretAccessKey string
	CreateDate      time.Time
}

type newKeyOutput struct{ AccessKey newKey }

// accessKey is an access key in a list.
type accessKey struct {
	UserName    string
	AccessKeyId string
	Status      string
	CreateDate  time.Time
}

type keysOutput struct {
	AccessKeyMetadata []accessKey `aws:",keep"`
	paging
}

func keyPage(l ops.KeyList) keysOutput {
	out := keysOutput{paging: pagingOf(l.Next)}
	for _, k := range l.Items {
		out.AccessKeyMetadata = append(out.AccessKeyMetadata, accessKey{l.UserName, k.ID, string(k.Status), k.Created})
	}
	return out
}

type keyUseOutput struct {
	UserName          string
	AccessKeyLastUsed lastUsed
}

type lastUsed struct {
	LastUsedDate *time.Time
	ServiceName  string
	Region       string
}

// keyUse tells of a key that was never used with N/A, as AWS does.
func keyUse(u *ops.KeyUse) keyUseOutput {
	if u.LastUsed.IsZero() {
		return keyUseOutput{u.UserName, lastUsed{nil, "N/A", "N/A"}}
	}
	return keyUseOutput{u.UserName, lastUsed{&u.LastUsed, u.LastService, u.LastRegion}}
}

type keyInput struct {
	AccessKeyId string `aws:",required" len:"16,128" pattern:"[\\w]+"`
}

// ownKeyInput names a key of a user, or of the caller.
type ownKeyInput struct {
	ownUserInput
	keyInput
}

func (s *ownKeyInput) in() ops.KeyIn {
	return ops.KeyIn{User: ops.Ref{Name: s.UserName}, Key: s.AccessKeyId}
}

type updateKeyInput struct {
	ownKeyInput
	Status string `aws:",required" enum:"Active Inactive Expired"`
}

// ownListInput is a list that belongs to a user, or to the caller.
type ownListInput struct {
	ownUserInput
	listInput
}

func (s *ownListInput) in() ops.UserListing {
	return ops.UserListing{User: ops.Ref{Name: s.UserName}, Listing: s.listing("")}
}
