package alibaba

import (
	"strconv"
	"strings"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func imsMFA() []action {
	of := serviceIMS
	return []action{
		plain(of, "CreateVirtualMFADevice", ops.CreateVirtualMFADevice, (*createDeviceInput).in, newDeviceAnswer),
		plain(of, "DeleteVirtualMFADevice", ops.DeleteVirtualMFADevice, func(s *serialInput) ops.SerialIn {
			return ops.SerialIn{Serial: serial(s.SerialNumber)}
		}, none),
		bind(of, "ListVirtualMFADevices", ops.ListVirtualMFADevices, func(s *deviceListInput, _ *scene) (ops.ListVirtualMFADevicesIn, error) {
			return ops.ListVirtualMFADevicesIn{Listing: ops.Listing{Limit: s.MaxItems, Cursor: s.Marker}}, nil
		}, func(sc *scene, p page.Page[ops.DeviceUse]) imsDevicesOutput {
			return imsDevicesOutput{pagingOf(p.Next), imsDeviceList{each(p.Items, func(d *ops.DeviceUse) imsDevice {
				v := imsDevice{SerialNumber: name.ACSOf(d.ARN()), ActivateDate: when(d.Enabled)}
				if d.Owner != nil {
					v.User = imsOwner{d.Owner.ID.String(), sc.upn(d.Owner.Name), d.Owner.Name}
				}
				return v
			})}}
		}),
		bind(of, "BindMFADevice", ops.BindMFADevice, func(s *imsBindInput, sc *scene) (ops.PairIn, error) {
			ref, err := sc.user(s.UserPrincipalName)
			return ops.PairIn{User: ref, Serial: serial(s.SerialNumber), Code1: s.AuthenticationCode1, Code2: s.AuthenticationCode2}, err
		}, nothingMore),
		bind(of, "UnbindMFADevice", ops.UnbindMFADevice, (*upnInput).in, func(_ *scene, i *ops.MFAInfo) unboundOutput {
			return unboundOutput{unbound{name.ACSOf(i.ARN())}}
		}),
		bind(of, "DisableVirtualMFA", ops.DisableVirtualMFA, (*upnInput).in, nothingMore),
		bind(of, "GetUserMFAInfo", ops.GetUserMFAInfo, (*ownUPNInput).in, func(_ *scene, i *ops.MFAInfo) imsMFAOutput {
			return imsMFAOutput{i.Device != nil, deviceOf(i)}
		}),
		plain(of, "GetAccountMFAInfo", ops.AccountMFAInfo, noInput, func(has bool) accountMFAOutput { return accountMFAOutput{has} }),
		bind(of, "ListPasskeys", ops.ListPasskeys, (*ownUPNInput).in, func(_ *scene, keys []ops.Key) passkeysOutput {
			return passkeysOutput{each(keys, func(k *ops.Key) passkey {
				return passkey{passkeyID(k.ID), k.Name, unix(k.Created), unix(k.LastUsed)}
			})}
		}),
		bind(of, "UpdatePasskey", ops.RenamePasskey, func(s *updatePasskeyInput, sc *scene) (ops.RenamePasskeyIn, error) {
			ref, err := s.ref(sc)
			return ops.RenamePasskeyIn{KeyRef: ref, Name: s.PasskeyName}, err
		}, nothingMore),
		bind(of, "DeletePasskey", ops.DeletePasskey, func(s *passkeyInput, sc *scene) (ops.DeletePasskeyIn, error) {
			ref, err := s.ref(sc)
			return ops.DeletePasskeyIn{KeyRef: ref}, err
		}, nothingMore),
		bind(of, "GetVerificationInfo", ops.GetVerification, (*upnInput).in, func(_ *scene, v *ops.Verification) verificationOutput {
			return newVerification(v)
		}),
		bind(of, "SetVerificationInfo", ops.SendActivation, (*verificationInput).sent, func(*scene, *ops.AddressState) struct{} { return struct{}{} }),
		bind(of, "UnbindVerification", ops.UnbindAddress, func(s *verificationInput, sc *scene) (ops.VerificationIn, error) {
			ref, err := sc.user(s.UserPrincipalName)
			kind, bad := s.kind()
			if bad != nil {
				err = bad
			}
			return ops.VerificationIn{User: ref, Kind: kind}, err
		}, nothingMore),
	}
}

type imsOwner struct {
	UserId            string
	UserPrincipalName string
	DisplayName       string
}

type imsDevice struct {
	SerialNumber string
	ActivateDate string
	User         imsOwner
}

type imsDeviceList struct{ VirtualMFADevice []imsDevice }

type imsDevicesOutput struct {
	paging
	VirtualMFADevices imsDeviceList
}

type deviceListInput struct {
	Marker   string
	MaxItems int `range:"1,100"`
}

type imsBindInput struct {
	upnInput
	serialInput
	codes
}

type imsMFAOutput struct {
	IsMFAEnable bool
	MFADevice   mfaDevice
}

type accountMFAOutput struct{ IsMFAEnable bool }

type passkey struct {
	PasskeyId   string
	PasskeyName string
	CreateDate  string
	LastUseDate string
}

type passkeysOutput struct{ Passkeys []passkey }

// unix spells a moment as the list of passkeys does: seconds since 1970.
func unix(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

const passkeyPrefix = "PASSKEY-"

func passkeyID(id name.ID) string { return passkeyPrefix + id.String() }

type passkeyInput struct {
	ownUPNInput
	PasskeyId string `req:"true" len:"1,64"`
}

func (s *passkeyInput) ref(sc *scene) (ops.KeyRef, error) {
	user, err := sc.user(s.UserPrincipalName)
	id, ok := name.ParseID(strings.TrimPrefix(s.PasskeyId, passkeyPrefix))
	if err == nil && !ok {
		err = &failure{404, "EntityNotExist.Passkey", "The passkey does not exist: " + s.PasskeyId + "."}
	}
	return ops.KeyRef{User: user, Key: id}, err
}

type updatePasskeyInput struct {
	passkeyInput
	PasskeyName string `req:"true" len:"1,64"`
}

type emailDevice struct {
	Email  string
	Status string
}

type phoneDevice struct {
	AreaCode    string
	PhoneNumber string
	Status      string
}

type verificationOutput struct {
	SecurityEmailDevice emailDevice
	SecurityPhoneDevice phoneDevice
}

// newVerification shows the address that counts: the one that waits to be
// confirmed, else the one that is bound.
func newVerification(v *ops.Verification) (out verificationOutput) {
	address, status := shown(v.Email)
	out.SecurityEmailDevice = emailDevice{address, status}
	number, status := shown(v.SMS)
	area, rest, found := strings.Cut(strings.TrimPrefix(number, "+"), "-")
	if !found {
		area, rest = "", number
	}
	out.SecurityPhoneDevice = phoneDevice{area, rest, status}
	return out
}

func shown(a ops.AddressState) (address, status string) {
	switch {
	case a.Pending != "":
		return a.Pending, "pending"
	case a.Address != "":
		return a.Address, "active"
	}
	return "", ""
}

type verificationInput struct {
	upnInput
	VerifyType  string `req:"true"`
	Email       string `len:"1,254"`
	MobilePhone string `len:"1,32" chars:"0-9+-"`
}

func (s *verificationInput) kind() (iam.FactorKind, error) {
	switch s.VerifyType {
	case "email":
		return iam.FactorEmail, nil
	case "sms":
		return iam.FactorSMS, nil
	}
	return "", &failure{400, "InvalidParameter.VerifyType", `The parameter - "VerifyType" must be sms or email.`}
}

// sent is an address to which a link goes: it is pending until its owner says so.
func (s *verificationInput) sent(sc *scene) (ops.SendActivationIn, error) {
	ref, err := sc.user(s.UserPrincipalName)
	kind, bad := s.kind()
	in := ops.SendActivationIn{User: ref, Kind: kind, Address: s.Email}
	if kind == iam.FactorSMS {
		in.Address = "+" + strings.ReplaceAll(strings.TrimPrefix(s.MobilePhone, "+"), "-", "")
	}
	switch {
	case bad != nil:
		return in, bad
	case err == nil && (kind == iam.FactorEmail && s.Email == "" || kind == iam.FactorSMS && s.MobilePhone == ""):
		err = &failure{400, "MissingParameter", "Email or MobilePhone must be specified, as VerifyType says."}
	}
	return in, err
}
