package alibaba

import (
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/seal"
)

func ramKeys() []action {
	of := serviceRAM
	return []action{
		plain(of, "CreateAccessKey", ops.CreateAccessKey, (*ownUserInput).in, func(k *ops.NewKey) newKeyOutput {
			return newKeyOutput{newKey{k.ID, string(k.Plain.Reveal()), string(k.Status), when(k.Created)}}
		}),
		plain(of, "UpdateAccessKey", ops.UpdateAccessKey, func(s *updateKeyInput) ops.UpdateAccessKeyIn {
			return ops.UpdateAccessKeyIn{KeyIn: s.in(), Status: iam.KeyStatus(s.Status)}
		}, none),
		plain(of, "DeleteAccessKey", ops.RecycleAccessKey, (*keyInput).in, none),
		plain(of, "ListAccessKeys", ops.ListAccessKeys, func(s *ownUserInput) ops.UserListing {
			return ops.UserListing{User: s.ref(), Listing: everything}
		}, func(l ops.KeyList) keysOutput {
			return keysOutput{keyList{each(l.Items, func(k *iam.AccessKey) accessKey {
				return accessKey{k.ID, string(k.Status), when(k.Created)}
			})}}
		}),
		plain(of, "GetAccessKeyLastUsed", ops.GetAccessKeyLastUsed, (*keyInput).in, func(k *ops.KeyUse) lastUsedOutput {
			return lastUsedOutput{lastUsed{when(k.LastUsed)}}
		}),
		plain(of, "CreateLoginProfile", ops.CreateRAMLoginProfile, (*createLoginInput).in, loginAnswer),
		plain(of, "GetLoginProfile", ops.GetRAMLoginProfile, (*userInput).in, loginAnswer),
		plain(of, "UpdateLoginProfile", ops.UpdateRAMLoginProfile, (*updateLoginInput).in, none),
		plain(of, "DeleteLoginProfile", ops.DeleteLoginProfile, (*userInput).in, none),
		plain(of, "ChangePassword", ops.ChangePassword, (*changePasswordInput).in, none),
	}
}

type newKey struct {
	AccessKeyId     string
	AccessKeySecret string
	Status          string
	CreateDate      string
}

type newKeyOutput struct{ AccessKey newKey }

type accessKey struct {
	AccessKeyId string
	Status      string
	CreateDate  string
}

type keyList struct{ AccessKey []accessKey }

type keysOutput struct{ AccessKeys keyList }

type lastUsed struct{ LastUsedDate string }

type lastUsedOutput struct{ AccessKeyLastUsed lastUsed }

type keyInput struct {
	ownUserInput
	UserAccessKeyId string `req:"true" len:"1,128" chars:"A-Za-z0-9._"`
}

func (s *keyInput) in() ops.KeyIn { return ops.KeyIn{User: s.ref(), Key: s.UserAccessKeyId} }

type updateKeyInput struct {
	keyInput
	Status string `req:"true"`
}

type login struct {
	UserName              string
	CreateDate            string
	PasswordResetRequired bool
	MFABindRequired       bool
}

type loginOutput struct{ LoginProfile login }

func loginAnswer(d *ops.LoginDetail) loginOutput {
	return loginOutput{login{d.User.Name, when(d.Created), d.ResetRequired, d.MFARequired}}
}

type createLoginInput struct {
	userInput
	Password              string `req:"true"`
	PasswordResetRequired *bool
	MFABindRequired       *bool
}

func (s *createLoginInput) in() ops.RAMLoginIn {
	return ops.RAMLoginIn{User: s.ref(), Password: secret(s.Password), ResetRequired: s.PasswordResetRequired, MFARequired: s.MFABindRequired}
}

type updateLoginInput struct {
	userInput
	Password              string
	PasswordResetRequired *bool
	MFABindRequired       *bool
}

func (s *updateLoginInput) in() ops.RAMLoginIn {
	return ops.RAMLoginIn{User: s.ref(), Password: secret(s.Password), ResetRequired: s.PasswordResetRequired, MFARequired: s.MFABindRequired}
}

type changePasswordInput struct {
	OldPassword string `req:"true"`
	NewPassword string `req:"true"`
}

func (s *changePasswordInput) in() ops.ChangePasswordIn {
	return ops.ChangePasswordIn{Old: secret(s.OldPassword), New: secret(s.NewPassword)}
}

func secret(s string) seal.Secret { return seal.NewSecret([]byte(s)) }
