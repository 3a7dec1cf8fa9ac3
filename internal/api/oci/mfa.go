package oci

import (
	"net/http"

	"warifu/internal/name"
	"warifu/internal/ops"
)

// device is a TOTP device without its seed.
type device struct {
	ID             string `json:"id"`
	UserID         string `json:"userId"`
	TimeCreated    stamp  `json:"timeCreated"`
	TimeExpires    *stamp `json:"timeExpires,omitempty"`
	LifecycleState string `json:"lifecycleState"`
	IsActivated    bool   `json:"isActivated"`
}

// newDevice is a TOTP device at the moment when its seed is shown.
type newDevice struct {
	device
	Seed string `json:"seed"`
}

func deviceOf(d *ops.OracleDevice) device {
	return device{
		ID: d.ID.OCID(name.OCICredential), UserID: d.User.OCID(name.OCIUser), TimeCreated: stamp(d.Created), TimeExpires: when(d.Expires),
		LifecycleState: active, IsActivated: d.Activated,
	}
}

func showDevice(d *ops.OracleDevice, r *reply) device {
	r.etag = d.ETag
	return deviceOf(d)
}

func showSeed(d *ops.OracleDevice, r *reply) newDevice {
	r.etag, r.label = d.ETag, d.Label
	return newDevice{deviceOf(d), reveal(d.Seed)}
}

// deviceIn is a request about a device.
type deviceIn struct {
	UserID   string `path:"userId"`
	DeviceID string `path:"mfaTotpDeviceId"`
	IfMatch  string `header:"if-match"`
}

func (in *deviceIn) device() (ops.OracleDeviceIn, error) {
	user, err := idOf(name.OCIUser, in.UserID)
	if err != nil {
		return ops.OracleDeviceIn{}, err
	}
	id, err := idOf(name.OCICredential, in.DeviceID)
	return ops.OracleDeviceIn{User: user, Device: id, IfMatch: in.IfMatch}, err
}

type activateIn struct {
	UserID   string    `path:"userId"`
	DeviceID string    `path:"mfaTotpDeviceId"`
	IfMatch  string    `header:"if-match"`
	Retry    ops.Retry `retry:""`
	Body     struct {
		TotpToken string `json:"totpToken" required:"true"`
	} `body:""`
}

type listDevicesIn struct {
	UserID    string `path:"userId"`
	Page      string `query:"page"`
	Limit     int    `query:"limit"`
	SortBy    string `query:"sortBy"`
	SortOrder string `query:"sortOrder"`
}

func mfaBindings() []binding {
	const all, one = "/users/{userId}/mfaTotpDevices", "/users/{userId}/mfaTotpDevices/{mfaTotpDeviceId}"
	return []binding{
		bind("CreateMfaTotpDevice", http.MethodPost, all, ops.CreateMfaTotpDevice, (*userRetryIn).user, showSeed),
		bind("ListMfaTotpDevices", http.MethodGet, all, ops.ListMfaTotpDevices, func(in *listDevicesIn) (ops.Matching, error) {
			if _, err := paging("", "", in.SortBy, in.SortOrder, in.Limit, in.Page); err != nil {
				return ops.Matching{}, err
			}
			id, err := idOf(name.OCIUser, in.UserID)
			return ops.Matching{ID: id}, err
		}, func(all []ops.OracleDevice, _ *reply) []device { return each(all, deviceOf) }),
		bind("GetMfaTotpDevice", http.MethodGet, one, ops.GetMfaTotpDevice, (*deviceIn).device, showDevice),
		bind("DeleteMfaTotpDevice", http.MethodDelete, one, ops.DeleteMfaTotpDevice, (*deviceIn).device, nothing[struct{}]),
		bind("ActivateMfaTotpDevice", http.MethodPost, one+"/actions/activate", ops.ActivateMfaTotpDevice, func(in *activateIn) (ops.OracleDeviceIn, error) {
			d := deviceIn{in.UserID, in.DeviceID, in.IfMatch}
			out, err := d.device()
			out.Code, out.Retry = in.Body.TotpToken, in.Retry
			return out, err
		}, showDevice),
		bind("GenerateTotpSeed", http.MethodPost, one+"/actions/generateSeed", ops.GenerateTotpSeed, (*deviceIn).device, showSeed),
	}
}
