package passkey

import (
	"encoding/hex"
	"strings"

	"warifu/internal/fault"
)

// AAGUID says which make an authenticator is of. Its zero value is one that does
// not tell. Nobody vouches for it unless the attestation is trusted: it is good
// for a label.
type AAGUID [16]byte

// ParseAAGUID reads the usual form, 8-4-4-4-12 hexadecimal digits.
//
// Errors: Invalid.
func ParseAAGUID(s string) (a AAGUID, err error) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != len(a) || len(s) != 36 {
		return a, fault.Field("aaguid", "an AAGUID has 32 hexadecimal digits in the groups 8-4-4-4-12: %q", s)
	}
	return AAGUID(b), nil
}

// String is the usual form.
func (a AAGUID) String() string {
	h := hex.EncodeToString(a[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// MarshalText implements encoding.TextMarshaler.
func (a AAGUID) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *AAGUID) UnmarshalText(b []byte) (err error) {
	*a, err = ParseAAGUID(string(b))
	return err
}

// IsZero reports whether the make is not told.
func (a AAGUID) IsZero() bool { return a == AAGUID{} }

// Make is what people call the make; "" when it is not known.
func (a AAGUID) Make() string { return makes[a.String()] }

// makes are the authenticators that people have, by what their makers published.
var makes = map[string]string{
	"ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4": "Google Password Manager",
	"adce0002-35bc-c60a-648b-0b25f1f05503": "Chrome on Mac",
	"b5397666-4885-aa6b-cebf-e52262a439a2": "Chromium",
	"771b48fd-d3d4-4f74-9232-fc157ab0507a": "Edge on Mac",
	"fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "Apple Passwords",
	"dd4ec289-e01d-41c9-bb89-70fa845d4bf2": "iCloud Keychain (managed)",
	"08987058-cadc-4b81-b6e1-30de50dcbe96": "Windows Hello",
	"9ddd1817-af5a-4672-a2b9-3e3dd95000a9": "Windows Hello",
	"6028b017-b1d4-4c02-b4b3-afcdafc96bb2": "Windows Hello",
	"53414d53-554e-4700-0000-000000000000": "Samsung Pass",

	"bada5566-a7aa-401f-bd96-45619a55120d": "1Password",
	"d548826e-79b4-db40-a3d8-11116f7e8349": "Bitwarden",
	"531126d6-e717-415c-9320-3d9aa6981239": "Dashlane",
	"f3809540-7f14-49c1-a8b3-8f813b225541": "Enpass",
	"0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6": "Keeper",
	"fdb141b2-5d84-443e-8a35-4698c205a502": "KeePassXC",
	"b84e4048-15dc-4dd0-8640-f4f60813c8af": "NordPass",
	"50726f74-6f6e-5061-7373-50726f746f6e": "Proton Pass",

	"cb69481e-8ff7-4039-93ec-0a2729a154a8": "YubiKey 5",
	"ee882879-721c-4913-9775-3dfcce97072a": "YubiKey 5",
	"fa2b99dc-9e39-4257-8f92-4a30d23c4118": "YubiKey 5 NFC",
	"2fc0579f-8113-47ea-b116-bb5a8db9202a": "YubiKey 5 NFC",
	"c5ef55ff-ad9a-4b9f-b580-adebafe026d0": "YubiKey 5Ci",
	"85203421-48f9-4355-9bc8-8a53846e5083": "YubiKey 5Ci FIPS",
	"c1f9a0bc-1dd2-404a-b27f-8e29047a43fd": "YubiKey 5 NFC FIPS",
	"73bb0cd4-e502-49b8-9c6f-b59445bf720b": "YubiKey 5 FIPS",
	"d8522d9f-575b-4866-88a9-ba99fa02f35b": "YubiKey Bio",
	"f8a011f3-8c0a-4d15-8006-17111f9edc7d": "Security Key by Yubico",
	"b92c3f9a-c014-4056-887f-140a2501163b": "Security Key by Yubico",
	"6d44ba9b-f6ec-2e49-b930-0c8fe920cb73": "Security Key NFC by Yubico",
	"149a2021-8ef6-4133-96b8-81f8d5b7f1f5": "Security Key NFC by Yubico",
	"a4e9fc6d-4cbe-4758-b8ba-37598bb5bbaa": "Security Key NFC by Yubico",
	"42b4fb4a-2866-43b2-9bf7-6c6669c2e5d3": "Google Titan Security Key",
	"8876631b-d4a0-427f-5773-0ec71c9e0279": "Solo",
}
