package aws

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func mfaActions() []action {
	return []action{
		iamAction("CreateVirtualMFADevice", ops.CreateVirtualMFADevice, (*createDeviceInput).in, func(d *ops.NewDevice) newDeviceOutput {
			return newDeviceOutput{newDevice{d.ARN(), d.SeedText.Reveal(), d.PNG.Reveal()}}
		}),
		iamAction("EnableMFADevice", ops.EnableMFADevice, (*pairInput).in, none),
		iamAction("ResyncMFADevice", ops.ResyncMFADevice, (*pairInput).in, none),
		iamAction("DeactivateMFADevice", ops.DeactivateMFADevice, func(s *ownDeviceInput) ops.DeviceIn {
			return ops.DeviceIn{User: ops.Ref{Name: s.UserName}, Serial: s.SerialNumber}
		}, none),
		iamAction("DeleteVirtualMFADevice", ops.DeleteVirtualMFADevice, (*serialInput).in, none),
		iamAction("ListMFADevices", ops.ListMFADevices, (*ownListInput).in, devicePage),
		iamAction("ListVirtualMFADevices", ops.ListVirtualMFADevices, (*virtualListInput).in, virtualPage),
		iamAction("GetMFADevice", ops.GetMFADevice, func(s *getDeviceInput) ops.DeviceIn {
			return ops.DeviceIn{User: ops.Ref{Name: s.UserName}, Serial: s.SerialNumber}
		}, func(d *ops.UserDevice) deviceOutput {
			return deviceOutput{device: device{d.UserName, ops.Serial(d.UserName, &d.Factor), d.Enabled}}
		}),
		iamAction("TagMFADevice", ops.TagMFADevice, func(s *tagDeviceInput) ops.TagDeviceIn {
			return ops.TagDeviceIn{SerialIn: s.in(), Tags: tagsIn(s.Tags)}
		}, none),
		iamAction("UntagMFADevice", ops.UntagMFADevice, func(s *untagDeviceInput) ops.UntagDeviceIn {
			return ops.UntagDeviceIn{SerialIn: s.in(), Keys: s.TagKeys}
		}, none),
		iamAction("ListMFADeviceTags", ops.ListMFADeviceTags, func(s *deviceTagsInput) ops.DeviceTagsIn {
			return ops.DeviceTagsIn{SerialIn: s.in(), Listing: s.listing("")}
		}, tagPage),
	}
}

// newDevice is a virtual device with its seed.
type newDevice struct {
	SerialNumber     string
	Base32StringSeed []byte
	QRCodePNG        []byte
}

type newDeviceOutput struct{ VirtualMFADevice newDevice }

// device is a device of a user.
type device struct {
	UserName     string
	SerialNumber string
	EnableDate   time.Time
}

type devicesOutput struct {
	MFADevices []device `aws:",keep"`
	paging
}

func devicePage(l ops.DeviceList) devicesOutput {
	out := devicesOutput{paging: pagingOf(l.Next)}
	for i := range l.Items {
		out.MFADevices = append(out.MFADevices, device{l.UserName, ops.Serial(l.UserName, &l.Items[i]), l.Items[i].Enabled})
	}
	return out
}

// deviceOutput is a device by itself; virtual devices have no certifications.
type deviceOutput struct {
	device
	Certifications map[string]string `aws:",keep"`
}

// virtualDevice is a device in the account's list, without its seed.
type virtualDevice struct {
	SerialNumber string
	User         *user
	EnableDate   *time.Time
}

type virtualDevicesOutput struct {
	VirtualMFADevices []virtualDevice `aws:",keep"`
	paging
}

func virtualPage(p page.Page[ops.DeviceUse]) virtualDevicesOutput {
	out := virtualDevicesOutput{paging: pagingOf(p.Next)}
	for i := range p.Items {
		d := &p.Items[i]
		v := virtualDevice{SerialNumber: d.ARN(), EnableDate: when(d.Enabled)}
		if d.Owner != nil {
			v.User = owner(d.Owner)
		}
		out.VirtualMFADevices = append(out.VirtualMFADevices, v)
	}
	return out
}

// owner is a user as the list of devices tells it.
func owner(u *iam.User) *user {
	out := newUser(u)
	out.PasswordLastUsed = nil
	return &out
}

type createDeviceInput struct {
	Path                 string `len:"1,512" re:"/([!-~]+/)?" pattern:"(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)" says:"It must begin and end with / and contain only alphanumeric characters and/or / characters."`
	VirtualMFADeviceName string `aws:",required" len:"1," pattern:"[\\w+=,.@-]+"`
	Tags                 []tag  `len:",50"`
}

func (s *createDeviceInput) in() ops.CreateVirtualMFADeviceIn {
	return ops.CreateVirtualMFADeviceIn{Name: s.VirtualMFADeviceName, Path: s.Path, Tags: tagsIn(s.Tags)}
}

type serialInput struct {
	SerialNumber string `aws:",required" len:"9,256" pattern:"[\\w+=/:,.@-]+"`
}

func (s *serialInput) in() ops.SerialIn { return ops.SerialIn{Serial: s.SerialNumber} }

// pairInput is a device of a user with two consecutive codes.
type pairInput struct {
	userInput
	serialInput
	AuthenticationCode1 string `aws:",required,secret" len:"6,6" pattern:"[\\d]+"`
	AuthenticationCode2 string `aws:",required,secret" len:"6,6" pattern:"[\\d]+"`
}

func (s *pairInput) in() ops.PairIn {
	return ops.PairIn{
		User: ops.Ref{Name: s.UserName}, Serial: s.SerialNumber, Code1: s.AuthenticationCode1, Code2: s.AuthenticationCode2,
	}
}

type ownDeviceInput struct {
	ownUserInput
	serialInput
}

type getDeviceInput struct {
	loginInput
	serialInput
}

type virtualListInput struct {
	AssignmentStatus string `enum:"Assigned Unassigned Any"`
	listInput
}

func (s *virtualListInput) in() ops.ListVirtualMFADevicesIn {
	which := map[string]ops.Assignment{"Assigned": ops.Assigned, "Unassigned": ops.Unassigned}[s.AssignmentStatus]
	return ops.ListVirtualMFADevicesIn{Which: which, Listing: s.listing("")}
}

type tagDeviceInput struct {
	serialInput
	Tags []tag `aws:",required" len:",50"`
}

type untagDeviceInput struct {
	serialInput
	TagKeys []string `aws:",required" len:",50" eachlen:"1,128" eachpattern:"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"`
}

type deviceTagsInput struct {
	serialInput
	listInput
}
