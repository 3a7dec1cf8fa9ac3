package oath

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/internal/factor/totp"
	"warifu/internal/iam"
	"warifu/internal/name"
)

const (
	rfcSeed = "12345678901234567890"
	hexSeed = "3132333435363738393031323334353637383930"
	b32Seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
)

func TestCSV(t *testing.T) {
	want := Token{Serial: "GAHT1", Kind: iam.FactorTOTP, Params: totp.Params{Digits: 6, Period: 30 * time.Second}, Seed: []byte(rfcSeed)}
	hotp := want
	hotp.Kind, hotp.Counter, hotp.Params.Digits = iam.FactorHOTP, 5, 8
	full := want
	full.Maker, full.Model, full.Params = "Acme", "T 2", totp.Params{Algorithm: totp.SHA256, Digits: 8, Period: time.Minute}
	for name, c := range map[string]struct {
		file string
		want Token
	}{
		"bare":            {"GAHT1," + hexSeed, want},
		"bare, base32":    {"# tokens\n\nGAHT1, " + b32Seed + "\n", want},
		"bare, HOTP":      {"GAHT1," + hexSeed + ",hotp,8,5\r\n", hotp},
		"header":          {"\ufeffserial number,secret key\r\nGAHT1," + b32Seed + "====", want},
		"semicolons":      {"Serial_No;Seed (hex);Type\nGAHT1;" + strings.ToUpper(hexSeed) + ";TOTP", want},
		"tabs":            {"model\tserial\tseed\n\tGAHT1\t" + hexSeed, want},
		"everything":      {"upn,serial number,secret key,time interval,manufacturer,model,hash,digits\nx@y,GAHT1," + b32Seed + ",60,Acme,T 2,HMAC-SHA-256,8", full},
		"spaces in seeds": {"GAHT1,3132 3334 3536 3738 3930 3132 3334 3536 3738 3930", want},
	} {
		all, err := Parse([]byte(c.file), "")
		if err != nil || len(all) != 1 || fmt.Sprint(all[0]) != fmt.Sprint(c.want) {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
	for name, file := range map[string]string{
		"nothing": "", "spaces": " \n", "no seed": "GAHT1", "short seed": "GAHT1,3132", "no serial": "," + hexSeed, "twice": "A," + hexSeed + "\nA," + hexSeed,
		"bad seed": "A,hello world!", "bad type": "A," + hexSeed + ",ocra", "bad digits": "A," + hexSeed + ",totp,7", "bad period": "A," + hexSeed + ",totp,6,45",
		"bad counter": "A," + hexSeed + ",hotp,6,x", "negative": "A," + hexSeed + ",hotp,6,-1", "quotes": "\"A," + hexSeed, "header only": "serial,seed\n", "serial": "a/b," + hexSeed,
	} {
		if all, err := Parse([]byte(file), ""); err == nil {
			t.Errorf("%s is taken: %+v", name, all)
		} else if strings.Contains(err.Error(), hexSeed) || strings.Contains(err.Error(), "hello") {
			t.Errorf("K-2: %s: the error quotes the seed: %v", name, err)
		}
	}
}

// pskc is a file around a secret; what stands in it is RFC 6030's, figures 6 and 7.
func pskc(keys, mac, secret string) string {
	return `<?xml version="1.0"?>
<p:KeyContainer Version="1.0" xmlns:p="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
 xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" xmlns:xenc11="http://www.w3.org/2009/xmlenc11#"
 xmlns:pkcs5="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#">` + keys + mac + `
<p:KeyPackage><p:DeviceInfo><p:Manufacturer>Acme</p:Manufacturer><p:SerialNo>987654321</p:SerialNo></p:DeviceInfo>
<p:Key Id="12345678" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp"><p:Issuer>Issuer</p:Issuer>
<p:AlgorithmParameters><p:ResponseFormat Length="8" Encoding="DECIMAL"/></p:AlgorithmParameters>
<p:Data><p:Secret>` + secret + `</p:Secret><p:Counter><p:PlainValue>7</p:PlainValue></p:Counter></p:Data></p:Key></p:KeyPackage></p:KeyContainer>`
}

func sealed(text string) string {
	return `<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/><xenc:CipherData><xenc:CipherValue>
 ` + text + ` </xenc:CipherValue></xenc:CipherData>`
}

const (
	shared     = `<p:EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></p:EncryptionKey>`
	passphrase = `<p:EncryptionKey><xenc11:DerivedKey><xenc11:KeyDerivationMethod Algorithm="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2">
<pkcs5:PBKDF2-params><Salt><Specified>Ej7/PEpyEpw=</Specified></Salt><IterationCount>1000</IterationCount><KeyLength>16</KeyLength><PRF/></pkcs5:PBKDF2-params>
</xenc11:KeyDerivationMethod></xenc11:DerivedKey></p:EncryptionKey>`
	sharedKeyHex = "12345678901234567890123456789012"
)

func macOf(key string) string {
	return `<p:MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"><p:MACKey>` + sealed(key) + `</p:MACKey></p:MACMethod>`
}

func figure6() string {
	return pskc(shared, macOf("ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX"),
		`<p:EncryptedValue>`+sealed("AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv")+`</p:EncryptedValue><p:ValueMAC>Su+NvtQfmvfJzF6bmQiJqoLRExc=</p:ValueMAC>`)
}

func figure7() string {
	return pskc(passphrase, macOf("2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx"),
		`<p:EncryptedValue>`+sealed("oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f")+`</p:EncryptedValue><p:ValueMAC>LP6xMvjtypbfT9PdkJhBZ+D6O4w=</p:ValueMAC>`)
}

// RFC 6030, figures 2, 6 and 7: plain, under a pre-shared key, under a passphrase.
func TestPSKC(t *testing.T) {
	for name, c := range map[string]struct{ file, key string }{
		"plain":     {pskc("", "", "<p:PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\n</p:PlainValue>"), ""},
		"figure 6":  {figure6(), sharedKeyHex},
		"in base64": {figure6(), "EjRWeJASNFZ4kBI0VniQEg=="},
		"figure 7":  {figure7(), "qwerty"},
	} {
		all, err := Parse([]byte(c.file), c.key)
		if err != nil || len(all) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := all[0]
		if got.Serial != "987654321" || got.Maker != "Acme" || got.Kind != iam.FactorHOTP || got.Counter != 7 || got.Params.Digits != 8 || !bytes.Equal(got.Seed, []byte(rfcSeed)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for name, c := range map[string]struct{ file, key string }{
		"no key":          {figure6(), ""},
		"other key":       {figure6(), "12345678901234567890123456789013"},
		"no AES key":      {figure6(), "1234"},
		"wrong words":     {figure7(), "qwertz"},
		"changed MAC":     {strings.Replace(figure6(), "Su+N", "Su+M", 1), sharedKeyHex},
		"no MAC":          {strings.Replace(figure6(), "Su+NvtQfmvfJzF6bmQiJqoLRExc=", "", 1), sharedKeyHex},
		"changed value":   {strings.Replace(figure6(), "AAECAwQF", "AAECAwQG", 1), sharedKeyHex},
		"other MAC":       {strings.Replace(figure6(), "hmac-sha1", "hmac-md5", 1), sharedKeyHex},
		"endless work":    {strings.Replace(figure7(), ">1000<", ">2000000000<", 1), "qwerty"},
		"other algorithm": {strings.Replace(pskc("", "", "<p:PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</p:PlainValue>"), "pskc:hotp", "pskc:ocra", 1), ""},
		"hex codes":       {strings.Replace(pskc("", "", "<p:PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</p:PlainValue>"), "DECIMAL", "HEXADECIMAL", 1), ""},
		"no seed":         {pskc("", "", ""), ""},
		"other XML":       {"<html/>", ""},
		"no XML":          {"<html", ""},
	} {
		if all, err := Parse([]byte(c.file), c.key); err == nil {
			t.Errorf("%s is taken: %+v", name, all)
		}
	}
}

// bombs and entities are refused at once.
func TestA4Bombs(t *testing.T) {
	began := time.Now()
	for name, file := range map[string]string{
		"entities": `<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><KeyContainer>&c;</KeyContainer>`,
		"outside":  `<!DOCTYPE a SYSTEM "file:///etc/passwd"><KeyContainer/>`,
		"deep":     strings.Repeat("<a>", 1_000_000),
		"wide":     "<KeyContainer>" + strings.Repeat("<a/>", 900_000) + "</KeyContainer>",
		"long":     strings.Repeat("x", MaxFile+1),
		"rows":     strings.Repeat("A,"+hexSeed+"\n", MaxTokens+10),
	} {
		if _, err := Parse([]byte(file), ""); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("refusing took %s", took)
	}
}

func TestDataIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Data{
			Maker: rapid.String().Draw(t, "maker"), Model: rapid.StringN(0, 9, -1).Draw(t, "model"), Lost: rapid.Bool().Draw(t, "lost"),
			For:    name.ID(rapid.Int64Range(0, 1<<62).Draw(t, "for")),
			Params: totp.Params{Algorithm: totp.Algorithm(rapid.IntRange(0, 2).Draw(t, "algorithm")), Digits: rapid.SampledFrom([]int{6, 8}).Draw(t, "digits"), Period: rapid.SampledFrom([]time.Duration{30 * time.Second, time.Minute}).Draw(t, "period")},
		}
		d.Maker, d.Model = clip(d.Maker), clip(d.Model)
		got, err := ParseData(d.Text())
		if got.Params.Digits == 0 {
			got.Params.Digits = 6
		}
		if got.Params.Period == 0 {
			got.Params.Period = 30 * time.Second
		}
		if err != nil || got != d {
			t.Fatalf("%+v became %s and %+v, %v", d, d.Text(), got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("GAHT1,"+hexSeed+",hotp,8,5"), "")
	f.Add([]byte(figure6()), sharedKeyHex)
	f.Add([]byte(strings.Replace(figure7(), ">1000<", ">1<", 1)), "qwerty")
	f.Fuzz(func(t *testing.T, file []byte, key string) {
		if bytes.Contains(file, []byte("000000")) {
			return // much work for a passphrase
		}
		all, err := Parse(file, key)
		for i := range all {
			if err != nil || all[i].check("x") != nil {
				t.Fatalf("%+v, %v", all[i], err)
			}
		}
	})
}
