package verdict

// The codes of architecture and standards in one table: what they are called, what they weigh, what a person is told.

// Entry is one row of the table of codes.
type Entry struct {
	Code   Code
	Result Result // the result a check with this code has unless the case is milder
	Fatal  bool   // whether a fail makes the verdict not_valid
	ZH     string // the sentence for a person, zh-CN
	EN     string // the same in English
}

// Lookup finds the row of a code.
func Lookup(code Code) (Entry, bool) {
	i, ok := index[code]
	if !ok {
		return Entry{}, false
	}
	return table[i], true
}

// Table is a copy of all rows, in the order of a verification.
func Table() []Entry { return append([]Entry(nil), table...) }

// The codes. Their meanings stand in the table below.
const (
	PkgNotZip                   Code = "PKG_NOT_ZIP"
	PkgDuplicateEntry           Code = "PKG_DUPLICATE_ENTRY"
	PkgHeaderMismatch           Code = "PKG_HEADER_MISMATCH"
	PkgUnsafePath               Code = "PKG_UNSAFE_PATH"
	PkgBomb                     Code = "PKG_BOMB"
	PkgMissingOFDXML            Code = "PKG_MISSING_OFD_XML"
	PkgTrailingData             Code = "PKG_TRAILING_DATA"
	PkgDamaged                  Code = "PKG_DAMAGED"
	DocXMLError                 Code = "DOC_XML_ERROR"
	DocFileMissing              Code = "DOC_FILE_MISSING"
	DocMultipleBodies           Code = "DOC_MULTIPLE_BODIES"
	SigListAbsent               Code = "SIG_LIST_ABSENT"
	SigListMissingFile          Code = "SIG_LIST_MISSING_FILE"
	SigListEmpty                Code = "SIG_LIST_EMPTY"
	SigListXMLError             Code = "SIG_LIST_XML_ERROR"
	SigIDDuplicate              Code = "SIG_ID_DUPLICATE"
	SigFileMissing              Code = "SIG_FILE_MISSING"
	SigFileXMLError             Code = "SIG_FILE_XML_ERROR"
	SigTypeUnknown              Code = "SIG_TYPE_UNKNOWN"
	SigUnlisted                 Code = "SIG_UNLISTED"
	RefsEmpty                   Code = "REFS_EMPTY"
	DigestMethodUnsupported     Code = "DIGEST_METHOD_UNSUPPORTED"
	DigestMethodWeak            Code = "DIGEST_METHOD_WEAK"
	RefFileMissing              Code = "REF_FILE_MISSING"
	RefDigestMismatch           Code = "REF_DIGEST_MISMATCH"
	RefValueNotBase64           Code = "REF_VALUE_NOT_BASE64"
	RefDuplicate                Code = "REF_DUPLICATE"
	RefPathNotAbsolute          Code = "REF_PATH_NOT_ABSOLUTE"
	RefPathCase                 Code = "REF_PATH_CASE"
	SVMissing                   Code = "SV_MISSING"
	SVFormatError               Code = "SV_FORMAT_ERROR"
	SVVersionUnsupported        Code = "SV_VERSION_UNSUPPORTED"
	SVTrailingData              Code = "SV_TRAILING_DATA"
	SVTypeMismatch              Code = "SV_TYPE_MISMATCH"
	SignedDataEmpty             Code = "SIGNED_DATA_EMPTY"
	SignatureInvalid            Code = "SIGNATURE_INVALID"
	SignatureEncoding           Code = "SIGNATURE_ENCODING"
	SigAlgUnsupported           Code = "SIG_ALG_UNSUPPORTED"
	SigAlgMismatch              Code = "SIG_ALG_MISMATCH"
	SignerNotInSeal             Code = "SIGNER_NOT_IN_SEAL"
	CertlistTypeUnknown         Code = "CERTLIST_TYPE_UNKNOWN"
	SealFileMismatch            Code = "SEAL_FILE_MISMATCH"
	SealFormatError             Code = "SEAL_FORMAT_ERROR"
	SealSignatureInvalid        Code = "SEAL_SIGNATURE_INVALID"
	SealMakerCertUntrusted      Code = "SEAL_MAKER_CERT_UNTRUSTED"
	SealMakerCertExpired        Code = "SEAL_MAKER_CERT_EXPIRED"
	SealMakerCertNotYetValid    Code = "SEAL_MAKER_CERT_NOT_YET_VALID"
	SealMakerCertRevoked        Code = "SEAL_MAKER_CERT_REVOKED"
	SealMakerCertKeyUsage       Code = "SEAL_MAKER_CERT_KEY_USAGE"
	SealExpired                 Code = "SEAL_EXPIRED"
	SealNotYetValid             Code = "SEAL_NOT_YET_VALID"
	SealRevoked                 Code = "SEAL_REVOKED"
	SealSuspended               Code = "SEAL_SUSPENDED"
	SealMadeOutsideMakerCert    Code = "SEAL_MADE_OUTSIDE_MAKER_CERT"
	SealTimestampInvalid        Code = "SEAL_TIMESTAMP_INVALID"
	SealTimestampBeforeCreate   Code = "SEAL_TIMESTAMP_BEFORE_CREATE"
	SignerCertUntrusted         Code = "SIGNER_CERT_UNTRUSTED"
	SignerCertExpired           Code = "SIGNER_CERT_EXPIRED"
	SignerCertRevoked           Code = "SIGNER_CERT_REVOKED"
	SignerCertKeyUsage          Code = "SIGNER_CERT_KEY_USAGE"
	SignerCertEncoding          Code = "SIGNER_CERT_ENCODING"
	CertEncodingNonconformant   Code = "CERT_ENCODING_NONCONFORMANT"
	RevocationUnchecked         Code = "REVOCATION_UNCHECKED"
	SignTimeOutsideCertValidity Code = "SIGN_TIME_OUTSIDE_CERT_VALIDITY"
	SignTimeOutsideSealValidity Code = "SIGN_TIME_OUTSIDE_SEAL_VALIDITY"
	CertRevokedBeforeSigning    Code = "CERT_REVOKED_BEFORE_SIGNING"
	CertRevokedAfterSigning     Code = "CERT_REVOKED_AFTER_SIGNING"
	SignTimeInFuture            Code = "SIGN_TIME_IN_FUTURE"
	SignTimeUnproven            Code = "SIGN_TIME_UNPROVEN"
	SignTimeAfterProof          Code = "SIGN_TIME_AFTER_PROOF"
	DatahashMismatch            Code = "DATAHASH_MISMATCH"
	DatahashUnchecked           Code = "DATAHASH_UNCHECKED"
	PropertyinfoMismatch        Code = "PROPERTYINFO_MISMATCH"
	ExtensionUnknown            Code = "EXTENSION_UNKNOWN"
	TimestampFormatInvalid      Code = "TIMESTAMP_FORMAT_INVALID"
	TimestampSignatureInvalid   Code = "TIMESTAMP_SIGNATURE_INVALID"
	TimestampImprintInvalid     Code = "TIMESTAMP_IMPRINT_INVALID"
	TimestampCertInvalid        Code = "TIMESTAMP_CERT_INVALID"
	TimestampTimeInvalid        Code = "TIMESTAMP_TIME_INVALID"
	TimestampUnsupported        Code = "TIMESTAMP_UNSUPPORTED"
	CMSContentMismatch          Code = "CMS_CONTENT_MISMATCH"
	CMSMessageDigestMismatch    Code = "CMS_MESSAGE_DIGEST_MISMATCH"
	CMSSignerCertMissing        Code = "CMS_SIGNER_CERT_MISSING"
	NoCertificate               Code = "NO_CERTIFICATE"
	CoverageGap                 Code = "COVERAGE_GAP"
	CoveragePartial             Code = "COVERAGE_PARTIAL"
	AnnotationUnsigned          Code = "ANNOTATION_UNSIGNED"
	UnreferencedFile            Code = "UNREFERENCED_FILE"
	OpenSetAltered              Code = "OPEN_SET_ALTERED"
	StampPageMissing            Code = "STAMP_PAGE_MISSING"
	StampBoundaryInvalid        Code = "STAMP_BOUNDARY_INVALID"
	StampOutOfPage              Code = "STAMP_OUT_OF_PAGE"
	StampImitation              Code = "STAMP_IMITATION"
	BaseSignatureInvalid        Code = "BASE_SIGNATURE_INVALID"
	ModifiedAfterLock           Code = "MODIFIED_AFTER_LOCK"
	TrustAnchorUnknown          Code = "TRUST_ANCHOR_UNKNOWN"
	TrustListExpired            Code = "TRUST_LIST_EXPIRED"
	TrustListRolledBack         Code = "TRUST_LIST_ROLLED_BACK"
	TrustListInvalid            Code = "TRUST_LIST_INVALID"
	TrustListStateUnchecked     Code = "TRUST_LIST_STATE_UNCHECKED"
	TrustRoleNotAllowed         Code = "TRUST_ROLE_NOT_ALLOWED"
	CodeMalformed               Code = "CODE_MALFORMED"
	CodeSignatureInvalid        Code = "CODE_SIGNATURE_INVALID"
	CodeExpired                 Code = "CODE_EXPIRED"
	CodeUsed                    Code = "CODE_USED"
	CodeNotYetValid             Code = "CODE_NOT_YET_VALID"
	CodeAudienceMismatch        Code = "CODE_AUDIENCE_MISMATCH"
	CodeDeviceMismatch          Code = "CODE_DEVICE_MISMATCH"
	CodeFaceMismatch            Code = "CODE_FACE_MISMATCH"
	CodeNotConsumed             Code = "CODE_NOT_CONSUMED"
	StatusSuspended             Code = "STATUS_SUSPENDED"
	StatusRevoked               Code = "STATUS_REVOKED"
	StatusExpired               Code = "STATUS_EXPIRED"
	StatusSuperseded            Code = "STATUS_SUPERSEDED"
	StatusCancelled             Code = "STATUS_CANCELLED"
	StatusNotInForce            Code = "STATUS_NOT_IN_FORCE"
	StatusPending               Code = "STATUS_PENDING"
	StatusNotYetValid           Code = "STATUS_NOT_YET_VALID"
	StatusStale                 Code = "STATUS_STALE"
	StatusUnknown               Code = "STATUS_UNKNOWN"
	StatusInvalid               Code = "STATUS_INVALID"
	ProofMalformed              Code = "PROOF_MALFORMED"
	ProofWrongSubject           Code = "PROOF_WRONG_SUBJECT"
	ProofPathInvalid            Code = "PROOF_PATH_INVALID"
	ProofCheckpointInvalid      Code = "PROOF_CHECKPOINT_INVALID"
	ProofWitnessQuorumMissing   Code = "PROOF_WITNESS_QUORUM_MISSING"
	ProofPromisedOnly           Code = "PROOF_PROMISED_ONLY"
	ProofAbsent                 Code = "PROOF_ABSENT"
	LicenseBindingMismatch      Code = "LICENSE_BINDING_MISMATCH"
	MetadataMissing             Code = "METADATA_MISSING"
	SealSignerOtherOffice       Code = "SEAL_SIGNER_OTHER_OFFICE"
)

//nolint:gochecknoglobals // read-only: the table is data that no code changes
var table = []Entry{
	{PkgNotZip, Fail, true, "文件不是可读的 OFD 包", "the file is not a readable OFD package"},
	{PkgDuplicateEntry, Fail, true, "包内有重名文件,不同的阅读器可能看到不同的内容", "two entries of the package share a name, so two readers could see two documents"},
	{PkgHeaderMismatch, Fail, true, "包的目录与文件头不一致,不同的阅读器可能看到不同的内容", "the package's directory and its file headers disagree, so two readers could see two documents"},
	{PkgUnsafePath, Fail, true, "包内文件路径不安全", "an entry's path leaves the package or is not allowed"},
	{PkgBomb, Fail, true, "包超出大小、数量或压缩比的限制", "the package exceeds a limit of size, count or compression"},
	{PkgMissingOFDXML, Fail, true, "缺少 OFD.xml", "there is no OFD.xml"},
	{PkgTrailingData, Fail, true, "包的前后或中间有多余数据", "there are bytes in the package that belong to no entry"},
	{PkgDamaged, Fail, true, "包内文件损坏", "an entry of the package is damaged"},
	{DocXMLError, Fail, true, "文档结构无法解析", "the document's structure cannot be read"},
	{DocFileMissing, Warn, false, "文档引用的文件不存在", "a file that the document refers to is missing"},
	{DocMultipleBodies, Warn, false, "包内有多个文档,逐一判断", "the package holds several documents; each is judged"},
	{SigListAbsent, Fail, true, "文件没有任何签名", "nothing is signed"},
	{SigListMissingFile, Fail, true, "签名列表文件缺失", "the signature list is missing"},
	{SigListEmpty, Fail, true, "签名列表为空", "the signature list is empty"},
	{SigListXMLError, Fail, true, "签名列表无法解析", "the signature list cannot be read"},
	{SigIDDuplicate, Fail, true, "签名标识重复", "two signatures share an ID"},
	{SigFileMissing, Fail, true, "签名描述文件缺失", "a signature's description is missing"},
	{SigFileXMLError, Fail, true, "签名描述文件无法解析", "a signature's description cannot be read"},
	{SigTypeUnknown, Fail, true, "签名类型不认识", "the signature's type is not known"},
	{SigUnlisted, Fail, true, "包内有未列入签名列表的签名", "a signature lies in the package that the list does not name"},
	{RefsEmpty, Fail, true, "签名没有保护任何文件", "the signature protects nothing"},
	{DigestMethodUnsupported, Fail, true, "摘要算法不支持", "the digest method is not supported"},
	{DigestMethodWeak, Fail, true, "摘要算法过弱", "the digest method is too weak"},
	{RefFileMissing, Fail, true, "被保护的文件缺失", "a protected file is missing"},
	{RefDigestMismatch, Fail, true, "内容在签章后被改动", "the content was changed after it was sealed"},
	{RefValueNotBase64, Fail, true, "摘要值格式错误", "a digest value is malformed"},
	{RefDuplicate, Fail, true, "同一文件被重复列出", "a file is listed twice"},
	{RefPathNotAbsolute, Warn, false, "被保护文件的路径不是绝对路径", "a protected file's path is not absolute"},
	{RefPathCase, Warn, false, "被保护文件的路径仅大小写不同", "a protected file is found only when case is ignored"},
	{SVMissing, Fail, true, "签名值缺失", "the signature value is missing"},
	{SVFormatError, Fail, true, "签名值格式错误", "the signature value is malformed"},
	{SVVersionUnsupported, Unknown, false, "签章版本暂不支持", "this version of the seal format is not supported"},
	{SVTrailingData, Fail, true, "签名值后有多余数据", "bytes follow the signature value"},
	{SVTypeMismatch, Fail, true, "签名值与签名类型不符", "the signature value is of another type than declared"},
	{SignedDataEmpty, Fail, true, "签名数据中没有签名者", "the signed data holds no signature"},
	{SignatureInvalid, Fail, true, "签名值验证不通过", "the signature does not verify"},
	{SignatureEncoding, Warn, false, "签名值编码不规范", "the signature value's encoding is not the standard one"},
	{SigAlgUnsupported, Fail, true, "签名算法不支持", "the signature algorithm is not supported"},
	{SigAlgMismatch, Fail, true, "签名算法与证书不一致", "the signature algorithm does not fit the certificate"},
	{SignerNotInSeal, Fail, true, "签章人不在印章的签章人列表中", "the signer is not one whom the seal allows"},
	{CertlistTypeUnknown, Fail, true, "印章的签章人列表类型不认识", "the seal's list of signers is of an unknown type"},
	{SealFileMismatch, Fail, true, "印章文件与签名值中的印章不一致", "the seal file differs from the seal that signed"},
	{SealFormatError, Fail, true, "印章格式错误", "the seal is malformed"},
	{SealSignatureInvalid, Fail, true, "印章不是由其制章者签发的", "the seal's own signature does not verify"},
	{SealMakerCertUntrusted, Fail, true, "制章者证书链不成立", "the chain of the seal maker's certificate is broken"},
	{SealMakerCertExpired, Warn, true, "制章者证书已过期(制章时有效)", "the seal maker's certificate has expired; it was good when the seal was made"},
	{SealMakerCertNotYetValid, Fail, true, "制章时制章者证书尚未生效", "the seal maker's certificate was not yet valid"},
	{SealMakerCertRevoked, Fail, true, "制章者证书已被吊销", "the seal maker's certificate is revoked"},
	{SealMakerCertKeyUsage, Fail, true, "制章者证书不能用于签名", "the seal maker's certificate is not for signing"},
	{SealExpired, Fail, true, "印章已过有效期", "the seal has expired"},
	{SealNotYetValid, Fail, true, "印章尚未生效", "the seal is not yet valid"},
	{SealRevoked, Fail, true, "印章已注销", "the seal is cancelled"},
	{SealSuspended, Fail, true, "印章已停用", "the seal is suspended"},
	{SealMadeOutsideMakerCert, Fail, true, "制章时间不在制章者证书有效期内", "the seal was made outside the life of its maker's certificate"},
	{SealTimestampInvalid, Fail, true, "印章时间戳无效", "the seal's time stamp is not valid"},
	{SealTimestampBeforeCreate, Fail, true, "印章时间戳早于制作时间", "the seal's time stamp is earlier than its making"},
	{SignerCertUntrusted, Fail, true, "签章人证书链不成立", "the chain of the signer's certificate is broken"},
	{SignerCertExpired, Fail, true, "签章人证书已过期", "the signer's certificate has expired"},
	{SignerCertRevoked, Fail, true, "签章人证书已被吊销", "the signer's certificate is revoked"},
	{SignerCertKeyUsage, Fail, true, "签章人证书不能用于签名", "the signer's certificate is not for signing"},
	{SignerCertEncoding, Fail, true, "签章人证书无法解析", "the signer's certificate cannot be read"},
	{CertEncodingNonconformant, Warn, false, "证书编码不规范", "a certificate's encoding is not conformant"},
	{RevocationUnchecked, Warn, false, "没有证书吊销信息可查", "no revocation information was at hand"},
	{SignTimeOutsideCertValidity, Fail, true, "签章时间不在签章人证书有效期内", "the signing time lies outside the signer's certificate"},
	{SignTimeOutsideSealValidity, Fail, true, "签章时间不在印章有效期内", "the signing time lies outside the seal's validity"},
	{CertRevokedBeforeSigning, Fail, true, "签章前证书已被吊销", "the certificate was revoked before signing"},
	{CertRevokedAfterSigning, Warn, false, "证书在签章之后被吊销", "the certificate was revoked after signing"},
	{SignTimeInFuture, Fail, true, "签章时间晚于当前时间", "the signing time lies in the future"},
	{SignTimeUnproven, Warn, false, "签章时间仅为自述,没有可信时间证明", "the signing time is only claimed"},
	{SignTimeAfterProof, Fail, true, "自述的签章时间晚于账本证明的时间", "the claimed signing time is later than the time the ledger proves"},
	{DatahashMismatch, Fail, true, "签章的不是这份文件", "the seal was not put on this document"},
	{DatahashUnchecked, Unknown, false, "原文不在手边,无法核对", "what was signed is not at hand"},
	{PropertyinfoMismatch, Warn, false, "签章的属性信息与所在位置不符", "the seal's property information names another place"},
	{ExtensionUnknown, Warn, true, "含有不认识的关键扩展项", "there is a critical extension that is not known"},
	{TimestampFormatInvalid, Fail, true, "时间戳格式错误", "the time stamp is malformed"},
	{TimestampSignatureInvalid, Fail, true, "时间戳签名无效", "the time stamp's signature does not verify"},
	{TimestampImprintInvalid, Fail, true, "时间戳与签名值不对应", "the time stamp is for something else"},
	{TimestampCertInvalid, Fail, true, "时间戳证书无效", "the time stamp's certificate is not valid"},
	{TimestampTimeInvalid, Fail, true, "时间戳时间不合理", "the time stamp's time is not possible"},
	{TimestampUnsupported, Warn, false, "有时间戳但未作为时间证明使用", "there is a time stamp; it was not used as proof of time"},
	{CMSContentMismatch, Fail, true, "签名数据的内容与文件不符", "the signed data is about something else"},
	{CMSMessageDigestMismatch, Fail, true, "签名数据的摘要与文件不符", "the signed data's digest does not match"},
	{CMSSignerCertMissing, Unknown, false, "签名数据中没有签名证书", "the signed data holds no certificate"},
	{NoCertificate, Unknown, false, "文件中没有签名证书,无法判断签名者", "there is no certificate to tell who signed"},
	{CoverageGap, Fail, true, "看得到的内容没有被签章保护", "something visible is not covered by the signature"},
	{CoveragePartial, Warn, false, "次要文件没有被签章保护", "a secondary file is not covered by the signature"},
	{AnnotationUnsigned, Warn, false, "有签章后添加的批注", "an annotation was added after signing"},
	{UnreferencedFile, Warn, false, "包内有文档未引用的文件(夹带)", "the package carries a file that the document does not use"},
	{OpenSetAltered, Fail, true, "允许后续签章的部分被改动", "the part left open for later signatures was altered"},
	{StampPageMissing, Fail, true, "印章所在页不存在", "the page of a stamp is missing"},
	{StampBoundaryInvalid, Fail, true, "印章位置无效", "a stamp's place is not possible"},
	{StampOutOfPage, Warn, false, "印章超出页面", "a stamp lies outside its page"},
	{StampImitation, Warn, false, "有模仿印章的批注", "an annotation imitates a seal"},
	{BaseSignatureInvalid, Fail, true, "所依据的签名无效", "the signature it builds on is not valid"},
	{ModifiedAfterLock, Fail, true, "文件在锁定签名之后被改动", "the document was changed after it was locked"},
	{TrustAnchorUnknown, Unknown, false, "证书链的根不在信任列表中", "the certificates end at a root that the trust list does not know"},
	{TrustListExpired, Unknown, false, "信任列表已过期", "the trust list is out of date"},
	{TrustListRolledBack, Fail, true, "信任列表比以前见过的版本旧", "the trust list is older than one seen before"},
	{TrustListInvalid, Fail, true, "信任列表的签名无效", "the trust list's signature does not verify"},
	{TrustListStateUnchecked, Warn, false, "没有检查信任列表是否回退", "whether the trust list is older than one seen before was not checked"},
	{TrustRoleNotAllowed, Fail, true, "该机构无权制作或签发此类文件", "the trust list does not allow this body to do so"},
	{CodeMalformed, Fail, true, "不是本系统的码,或码不完整", "this is not one of our codes, or it is incomplete"},
	{CodeSignatureInvalid, Fail, true, "码是伪造的", "the code is forged"},
	{CodeExpired, Fail, true, "码已过期,请持证人重新出示", "the code has expired; ask for a fresh one"},
	{CodeUsed, Fail, true, "码已被使用过", "the code has been used"},
	{CodeNotYetValid, Fail, true, "码的时间在未来,请检查设备时钟", "the code is from the future; check the clocks"},
	{CodeAudienceMismatch, Fail, true, "码不是出示给本单位的", "the code was meant for somebody else"},
	{CodeDeviceMismatch, Fail, true, "码不是由持证人的设备生成的", "the code does not come from the holder's device"},
	{CodeFaceMismatch, Fail, true, "票面内容与签发的不一致", "the printed fields are not the ones that were signed"},
	{CodeNotConsumed, Warn, false, "仅查看,未核销", "only looked at; not accepted"},
	{StatusSuspended, Fail, true, "证照已暂停使用", "the license is suspended"},
	{StatusRevoked, Fail, true, "证照已被撤销", "the license is revoked"},
	{StatusExpired, Fail, true, "证照已过有效期", "the license has expired"},
	{StatusSuperseded, Fail, true, "证照已被新版本取代", "the license has been superseded"},
	{StatusCancelled, Fail, true, "证照已注销", "the license is cancelled"},
	{StatusNotInForce, Fail, true, "证照不在有效状态", "the license is not in force"},
	{StatusPending, Unknown, false, "证照已受理,尚未完成签章", "the license is accepted and not yet sealed"},
	{StatusNotYetValid, Fail, true, "证照尚未生效", "the license is not yet in force"},
	{StatusStale, Unknown, false, "状态信息已过时", "the status information is too old"},
	{StatusUnknown, Unknown, false, "不知道证照当前的状态", "the license's present status is not known"},
	{StatusInvalid, Fail, true, "状态信息是伪造的", "the status information is forged"},
	{ProofMalformed, Fail, true, "证明文件格式错误", "the proof is malformed"},
	{ProofWrongSubject, Fail, true, "证明属于另一份文件", "the proof is about another document"},
	{ProofPathInvalid, Fail, true, "证明路径不成立", "the proof's path does not lead to the root"},
	{ProofCheckpointInvalid, Fail, true, "账本检查点签名无效", "the ledger's checkpoint is not signed by the ledger"},
	{ProofWitnessQuorumMissing, Unknown, false, "见证数量不足", "too few witnesses have signed the checkpoint"},
	{ProofPromisedOnly, Unknown, false, "已承诺记入账本,尚未可证", "the ledger has promised the entry; it cannot be proven yet"},
	{ProofAbsent, Unknown, false, "没有账本证明", "no ledger proof was at hand"},
	{LicenseBindingMismatch, Fail, true, "文件中的证照信息彼此不一致", "the license's data inside the file contradict each other"},
	{MetadataMissing, Warn, false, "文件缺少证照元数据", "the file lacks license metadata"},
	{SealSignerOtherOffice, Fail, true, "签章单位与颁发机构不一致", "the seal belongs to another body than the issuer named"},
}

//nolint:gochecknoglobals // read-only index of the table
var index = func() map[Code]int {
	m := make(map[Code]int, len(table))
	for i, e := range table {
		m[e.Code] = i
	}
	return m
}()
