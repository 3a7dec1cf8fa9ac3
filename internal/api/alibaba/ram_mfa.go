package alibaba

import (
	"context"
	"encoding/base64"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
	"warifu/internal/reqsig/acs"
)

func ramMFA() []action {
	of := serviceRAM
	return []action{
		plain(of, "CreateVirtualMFADevice", ops.CreateVirtualMFADevice, (*createDeviceInput).in, newDeviceAnswer),
		plain(of, "DeleteVirtualMFADevice", ops.DeleteVirtualMFADevice, func(s *serialInput) ops.SerialIn {
			return ops.SerialIn{Serial: serial(s.SerialNumber)}
		}, none),
		plain(of, "ListVirtualMFADevices", ops.ListVirtualMFADevices, func(*nothing) ops.ListVirtualMFADevicesIn {
			return ops.ListVirtualMFADevicesIn{Listing: everything}
		}, func(p page.Page[ops.DeviceUse]) virtualOutput {
			return virtualOutput{virtualList{each(p.Items, func(d *ops.DeviceUse) virtual {
				v := virtual{SerialNumber: name.ACSOf(d.ARN()), ActivateDate: when(d.Enabled)}
				if d.Owner != nil {
					v.User = owner{d.Owner.ID.String(), d.Owner.Name, d.Owner.Name}
				}
				return v
			})}}
		}),
		plain(of, "BindMFADevice", ops.BindMFADevice, (*bindInput).in, none),
		plain(of, "UnbindMFADevice", ops.UnbindMFADevice, (*userInput).in, func(i *ops.MFAInfo) unboundOutput {
			return unboundOutput{unbound{name.ACSOf(i.ARN())}}
		}),
		missing(plain(of, "GetUserMFAInfo", ops.GetUserMFAInfo, (*ownUserInput).in, func(i *ops.MFAInfo) mfaOutput {
			return mfaOutput{deviceOf(i)}
		})),
	}
}

// missing makes an answer without a device an error, as RAM has it.
func missing(a action) action {
	run := a.run
	a.run = func(ctx context.Context, s *ops.Server, sc *scene, p acs.Params) (any, error) {
		answer, err := run(ctx, s, sc, p)
		if out, ok := answer.(mfaOutput); err == nil && ok && out.MFADevice == (mfaDevice{}) {
			return nil, fault.Of(fault.NotFound, "User.MFADevice", "")
		}
		return answer, err
	}
	return a
}

type newDevice struct {
	SerialNumber     string
	Base32StringSeed string
	QRCodePNG        string
}

type newDeviceOutput struct{ VirtualMFADevice newDevice }

func newDeviceAnswer(d *ops.NewDevice) newDeviceOutput {
	return newDeviceOutput{newDevice{
		name.ACSOf(d.ARN()), string(d.SeedText.Reveal()), base64.StdEncoding.EncodeToString(d.PNG.Reveal()),
	}}
}

type mfaDevice struct {
	SerialNumber string
	Type         string
}

// deviceOf is a user's device; nothing if it has none.
func deviceOf(i *ops.MFAInfo) mfaDevice {
	if i.Device == nil {
		return mfaDevice{}
	}
	kind := "VMFA"
	if i.Device.Kind == iam.FactorU2F {
		kind = "U2F"
	}
	return mfaDevice{name.ACSOf(i.ARN()), kind}
}

type mfaOutput struct{ MFADevice mfaDevice }

type unbound struct{ SerialNumber string }

type unboundOutput struct{ MFADevice unbound }

type owner struct {
	UserId      string
	UserName    string
	DisplayName string
}

type virtual struct {
	SerialNumber string
	ActivateDate string
	User         owner
}

type virtualList struct{ VirtualMFADevice []virtual }

type virtualOutput struct{ VirtualMFADevices virtualList }

type createDeviceInput struct {
	VirtualMFADeviceName string `req:"true" len:"1,64" chars:"A-Za-z0-9.-"`
}

func (s *createDeviceInput) in() ops.CreateVirtualMFADeviceIn {
	return ops.CreateVirtualMFADeviceIn{Name: s.VirtualMFADeviceName}
}

type serialInput struct {
	SerialNumber string `req:"true" len:"1,256"`
}

// codes are two consecutive codes.
type codes struct {
	AuthenticationCode1 string `req:"true"`
	AuthenticationCode2 string `req:"true"`
}

type bindInput struct {
	userInput
	serialInput
	codes
}

func (s *bindInput) in() ops.PairIn {
	return ops.PairIn{User: s.ref(), Serial: serial(s.SerialNumber), Code1: s.AuthenticationCode1, Code2: s.AuthenticationCode2}
}
