package alibaba

import (
	"warifu/internal/iam"
	"warifu/internal/ops"
)

func imsKeys() []action {
	of := serviceIMS
	return []action{
		bind(of, "CreateAccessKey", ops.CreateAccessKey, (*ownUPNInput).in, func(_ *scene, k *ops.NewKey) newKeyOutput {
			return newKeyOutput{newKey{k.ID, string(k.Plain.Reveal()), string(k.Status), when(k.Created)}}
		}),
		bind(of, "UpdateAccessKey", ops.UpdateAccessKey, func(s *imsUpdateKeyInput, sc *scene) (ops.UpdateAccessKeyIn, error) {
			in, err := s.in(sc)
			return ops.UpdateAccessKeyIn{KeyIn: in, Status: iam.KeyStatus(s.Status)}, err
		}, nothingMore),
		bind(of, "DeleteAccessKey", ops.RecycleAccessKey, (*imsKeyInput).in, nothingMore),
		bind(of, "ListAccessKeys", ops.ListAccessKeys, func(s *ownUPNInput, sc *scene) (ops.UserListing, error) {
			ref, err := sc.user(s.UserPrincipalName)
			return ops.UserListing{User: ref, Listing: everything}, err
		}, func(_ *scene, l ops.KeyList) imsKeysOutput {
			return imsKeysOutput{imsKeyList{each(l.Items, func(k *iam.AccessKey) imsAccessKey {
				return imsAccessKey{accessKey{k.ID, string(k.Status), when(k.Created)}, when(k.Created)}
			})}}
		}),
		bind(of, "GetAccessKeyLastUsed", ops.GetAccessKeyLastUsed, (*imsKeyInput).in, func(_ *scene, k *ops.KeyUse) imsLastUsedOutput {
			return imsLastUsedOutput{imsLastUsed{when(k.LastUsed), k.LastService}}
		}),
	}
}

type imsAccessKey struct {
	accessKey
	UpdateDate string
}

type imsKeyList struct{ AccessKey []imsAccessKey }

type imsKeysOutput struct{ AccessKeys imsKeyList }

type imsLastUsed struct {
	LastUsedDate string
	ServiceName  string
}

type imsLastUsedOutput struct{ AccessKeyLastUsed imsLastUsed }

type imsKeyInput struct {
	ownUPNInput
	UserAccessKeyId string `req:"true" len:"1,128" chars:"A-Za-z0-9._"`
}

func (s *imsKeyInput) in(sc *scene) (ops.KeyIn, error) {
	ref, err := sc.user(s.UserPrincipalName)
	return ops.KeyIn{User: ref, Key: s.UserAccessKeyId}, err
}

type imsUpdateKeyInput struct {
	imsKeyInput
	Status string `req:"true"`
}
