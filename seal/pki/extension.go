package pki

import (
	"crypto/x509"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// readExtensions reads the extensions that chain building needs. A known extension that cannot be read is an error: its
// limits would otherwise be silently dropped. Unknown ones are only remembered.
func (c *Certificate) readExtensions(list cryptobyte.String) error {
	seen := map[string]bool{}
	for n := 0; !list.Empty(); n++ {
		var ext, value cryptobyte.String
		var critical bool
		if n == maxExtensions || !list.ReadASN1(&ext, asn1.SEQUENCE) {
			return errors.New("an extension is malformed, or there are too many")
		}
		oid, err := readOID(&ext)
		if err != nil || !readOptionalBool(&ext, &critical) || !ext.ReadASN1(&value, asn1.OCTET_STRING) || !ext.Empty() {
			return errors.New("an extension is malformed")
		}
		if seen[oid] {
			return errors.New("an extension stands twice")
		}
		seen[oid] = true
		ok := true
		switch oid {
		case "2.5.29.15":
			ok = c.readKeyUsage(value)
		case "2.5.29.19":
			ok = c.readBasicConstraints(value)
		case "2.5.29.37":
			ok = c.readExtKeyUsage(value)
		case "2.5.29.14":
			var id cryptobyte.String
			if ok = value.ReadASN1(&id, asn1.OCTET_STRING); ok {
				c.SubjectKeyID = id
			}
		case "2.5.29.35":
			c.AuthorityKeyID = readAuthorityKeyID(value)
		case "2.5.29.31":
			c.CRLDistributionPoints = readDistributionPoints(value)
		case "1.3.6.1.5.5.7.1.1":
			c.OCSPServers, c.IssuerURLs = readAuthorityInfo(value)
		case "2.5.29.17", "2.5.29.18", "2.5.29.32": // alternative names and policies limit nothing that is judged here
		default:
			if critical {
				c.UnknownCritical = append(c.UnknownCritical, oid)
			}
		}
		if !ok {
			return errors.New("extension " + oid + " is malformed")
		}
	}
	return nil
}

// readOptionalBool reads BOOLEAN DEFAULT FALSE, explicit FALSE included: real certificates write it.
func readOptionalBool(in *cryptobyte.String, out *bool) bool {
	var v cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&v, &present, asn1.BOOLEAN) {
		return false
	}
	*out = present && len(v) == 1 && v[0] != 0
	return !present || len(v) == 1
}

func (c *Certificate) readKeyUsage(v cryptobyte.String) bool {
	var bits cryptobyte.String
	if !v.ReadASN1(&bits, asn1.BIT_STRING) || len(bits) < 1 || bits[0] > 7 {
		return false
	}
	c.HasKeyUsage = true
	for i := range 9 {
		if 1+i/8 < len(bits) && bits[1+i/8]&(0x80>>(i%8)) != 0 {
			c.KeyUsage |= x509.KeyUsage(1) << i
		}
	}
	return true
}

func (c *Certificate) readBasicConstraints(v cryptobyte.String) bool {
	var seq cryptobyte.String
	if !v.ReadASN1(&seq, asn1.SEQUENCE) || !readOptionalBool(&seq, &c.IsCA) {
		return false
	}
	c.HasBasicConstraints = true
	if seq.PeekASN1Tag(asn1.INTEGER) {
		var n uint8
		if !seq.ReadASN1Integer(&n) {
			return false
		}
		c.MaxPathLen = int(n)
	}
	return true
}

func (c *Certificate) readExtKeyUsage(v cryptobyte.String) bool {
	var seq cryptobyte.String
	if !v.ReadASN1(&seq, asn1.SEQUENCE) {
		return false
	}
	for !seq.Empty() {
		oid, err := readOID(&seq)
		if err != nil || len(c.ExtKeyUsage) == maxListed {
			return false
		}
		c.ExtKeyUsage = append(c.ExtKeyUsage, oid)
	}
	return true
}

func readAuthorityKeyID(v cryptobyte.String) []byte {
	var seq, id cryptobyte.String
	var present bool
	if !v.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadOptionalASN1(&id, &present, asn1.Tag(0).ContextSpecific()) || !present {
		return nil
	}
	return id
}

// uri is the GeneralName arm uniformResourceIdentifier.
const uri = asn1.Tag(6 | 0x80)

func readDistributionPoints(v cryptobyte.String) (urls []string) {
	var seq cryptobyte.String
	if !v.ReadASN1(&seq, asn1.SEQUENCE) {
		return nil
	}
	for !seq.Empty() && len(urls) < maxListed {
		var point, name, full, item cryptobyte.String
		var present bool
		if !seq.ReadASN1(&point, asn1.SEQUENCE) ||
			!point.ReadOptionalASN1(&name, &present, asn1.Tag(0).Constructed().ContextSpecific()) {
			return urls
		}
		if !present || !name.ReadASN1(&full, asn1.Tag(0).Constructed().ContextSpecific()) {
			continue
		}
		for !full.Empty() && len(urls) < maxListed {
			var tag asn1.Tag
			if !full.ReadAnyASN1(&item, &tag) {
				break
			}
			if tag == uri {
				urls = append(urls, string(item))
			}
		}
	}
	return urls
}

func readAuthorityInfo(v cryptobyte.String) (ocsp, issuers []string) {
	var seq cryptobyte.String
	if !v.ReadASN1(&seq, asn1.SEQUENCE) {
		return nil, nil
	}
	for !seq.Empty() && len(ocsp)+len(issuers) < maxListed {
		var access, item cryptobyte.String
		var tag asn1.Tag
		if !seq.ReadASN1(&access, asn1.SEQUENCE) {
			return ocsp, issuers
		}
		method, err := readOID(&access)
		if err != nil || !access.ReadAnyASN1(&item, &tag) || tag != uri {
			continue
		}
		switch method {
		case "1.3.6.1.5.5.7.48.1":
			ocsp = append(ocsp, string(item))
		case "1.3.6.1.5.5.7.48.2":
			issuers = append(issuers, string(item))
		}
	}
	return ocsp, issuers
}
