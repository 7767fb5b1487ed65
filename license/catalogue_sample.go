package license

// The codes of the sample kinds. They stand under a defining body in region 99, which is nobody's.
const (
	SampleDefiner       = "11990000000000001G"
	SampleBusiness      = SampleDefiner + "001" // 营业执照
	SampleFood          = SampleDefiner + "002" // 食品经营许可证
	SampleProperty      = SampleDefiner + "003" // 不动产权证书
	SampleBirth         = SampleDefiner + "004" // 出生医学证明
	sampleDefinerName   = "省政务服务管理办公室"
	sampleStandard      = "GB/T 38540-2020"
	sampleSealOfLicense = "license"
)

// SampleKinds are the four kinds that the demo and the tests share: an enterprise's, one with a term, one with co-owners,
// and one whose holder is a child and whose guardians may use it.
func SampleKinds() []Kind {
	return []Kind{sampleBusiness(), sampleFood(), sampleProperty(), sampleBirth()}
}

func sampleReasons() []Reason {
	return []Reason{
		{"issued_in_error", "发证有误", "issued in error"},
		{"law_violation", "违反法律法规被撤销", "revoked for a breach of law"},
		{"false_materials", "以欺骗等不正当手段取得", "obtained by false materials"},
		{"applicant_request", "持证主体申请撤销", "at the holder's request"},
		{"holder_ended", "持证主体终止", "the holder no longer exists"},
	}
}

func sampleBusiness() Kind {
	return Kind{
		Code: SampleBusiness, Number: 1, Version: 1, Name: "营业执照", NameEN: "Business license",
		DefiningOffice: SampleDefiner, DefiningName: sampleDefinerName, Layout: "business",
		SealRule: SealRule{sampleSealOfLicense, sampleStandard},
		Holders:  HolderRule{Min: 1, Max: 1, Types: []string{TypeUSCC}},
		Photo:    PhotoNone, Validity: ValidityRule{Mode: ValidityGiven}, RevokeReasons: sampleReasons(),
		Fields: []FieldSpec{
			{
				Code: "LX", Name: "类型", NameEN: "Type", Class: ClassPublic, Type: TypeChoice, Required: true, OnFace: true, Disclose: true,
				Choices: []string{"有限责任公司", "有限责任公司(自然人独资)", "股份有限公司", "个人独资企业", "合伙企业", "个体工商户", "农民专业合作社"},
				Example: "有限责任公司",
			},
			{Code: "FDDBR", Name: "法定代表人", NameEN: "Legal representative", Class: ClassPersonal, Type: TypeText, Required: true, MaxLength: 50, OnFace: true, Disclose: true, Example: "赵试样"},
			{Code: "ZCZB", Name: "注册资本", NameEN: "Registered capital", Class: ClassPublic, Type: TypeText, Required: true, MaxLength: 60, OnFace: true, Example: "壹佰万圆人民币"},
			{Code: "CLRQ", Name: "成立日期", NameEN: "Established", Class: ClassPublic, Type: TypeDate, Required: true, OnFace: true, Disclose: true, Example: "2026-03-02"},
			{Code: "ZS", Name: "住所", NameEN: "Domicile", Class: ClassPublic, Type: TypeText, Required: true, MaxLength: 120, OnFace: true, Example: "示例市样本区模拟大道88号"},
			{Code: "JYFW", Name: "经营范围", NameEN: "Business scope", Class: ClassPublic, Type: TypeText, Required: true, MaxLength: 1000, Multiline: true, OnFace: true, Example: "软件开发;信息技术咨询服务;食品销售(凭许可证经营)。"},
		},
	}
}

func sampleFood() Kind {
	return Kind{
		Code: SampleFood, Number: 2, Version: 1, Name: "食品经营许可证", NameEN: "Food business permit",
		DefiningOffice: SampleDefiner, DefiningName: sampleDefinerName, Layout: "food",
		SealRule: SealRule{sampleSealOfLicense, sampleStandard},
		Holders:  HolderRule{Min: 1, Max: 1, Types: []string{TypeUSCC, TypeCitizen}},
		Photo:    PhotoNone, Validity: ValidityRule{Mode: ValidityYears, Years: 5}, RevokeReasons: sampleReasons(),
		Fields: []FieldSpec{
			{Code: "FDDBR", Name: "法定代表人(负责人)", NameEN: "Legal representative or person in charge", Class: ClassPersonal, Type: TypeText, Required: true, MaxLength: 50, OnFace: true, Disclose: true, Example: "钱试样"},
			{Code: "ZS", Name: "住所", NameEN: "Domicile", Class: ClassPublic, Type: TypeText, Required: true, MaxLength: 120, OnFace: true, Example: "示例市样本区模拟大道88号"},
			{Code: "JYCS", Name: "经营场所", NameEN: "Place of business", Class: ClassPublic, Type: TypeText, Required: true, MaxLength: 120, OnFace: true, Disclose: true, Example: "示例市样本区模拟大道88号1楼"},
			{
				Code: "ZTYT", Name: "主体业态", NameEN: "Form of business", Class: ClassPublic, Type: TypeChoice, Required: true, OnFace: true, Disclose: true,
				Choices: []string{"食品销售经营者", "餐饮服务经营者", "集中用餐单位食堂"}, Example: "餐饮服务经营者",
			},
			{Code: "JYXM", Name: "经营项目", NameEN: "Items", Class: ClassPublic, Type: TypeText, Required: true, MaxLength: 300, Multiline: true, OnFace: true, Disclose: true, Example: "热食类食品制售;冷食类食品制售;自制饮品制售"},
			{Code: "RCJGJG", Name: "日常监督管理机构", NameEN: "Supervising body", Class: ClassPublic, Type: TypeText, Required: true, MaxLength: 60, OnFace: true, Example: "样本区市场监督管理局"},
			{Code: "JBDH", Name: "投诉举报电话", NameEN: "Hotline", Class: ClassPublic, Type: TypeText, MaxLength: 20, Pattern: `[0-9-]{5,20}`, OnFace: true, Example: "12315"},
		},
	}
}

func sampleProperty() Kind {
	return Kind{
		Code: SampleProperty, Number: 3, Version: 1, Name: "不动产权证书", NameEN: "Certificate of real property",
		DefiningOffice: SampleDefiner, DefiningName: sampleDefinerName, Layout: "property",
		SealRule: SealRule{sampleSealOfLicense, sampleStandard},
		Holders:  HolderRule{Min: 1, Max: 10, Types: []string{TypeCitizen, TypeUSCC, "414", "516", "511", "551", "552", "999"}, Parts: true},
		Photo:    PhotoNone, Validity: ValidityRule{Mode: ValidityOpen}, RevokeReasons: sampleReasons(),
		Fields: []FieldSpec{
			{
				Code: "GYQK", Name: "共有情况", NameEN: "Ownership", Class: ClassPersonal, Type: TypeChoice, Required: true, OnFace: true, Disclose: true,
				Choices: []string{"单独所有", "共同共有", "按份共有"}, Example: "共同共有",
			},
			{Code: "ZL", Name: "坐落", NameEN: "Location", Class: ClassPersonal, Type: TypeText, Required: true, MaxLength: 120, OnFace: true, Disclose: true, Example: "示例市样本区模拟路6号3栋2单元601室"},
			{Code: "BDCDYH", Name: "不动产单元号", NameEN: "Unit number", Class: ClassPersonal, Type: TypeText, Required: true, MaxLength: 28, Pattern: `[0-9]{6}[0-9A-Z]{22}`, OnFace: true, Disclose: true, Example: "990101001001GB00001F00030601"},
			{Code: "QLLX", Name: "权利类型", NameEN: "Right", Class: ClassInternal, Type: TypeText, Required: true, MaxLength: 60, OnFace: true, Disclose: true, Example: "国有建设用地使用权/房屋所有权"},
			{Code: "QLXZ", Name: "权利性质", NameEN: "Nature of the right", Class: ClassInternal, Type: TypeText, Required: true, MaxLength: 60, OnFace: true, Example: "出让/市场化商品房"},
			{Code: "YT", Name: "用途", NameEN: "Use", Class: ClassInternal, Type: TypeText, Required: true, MaxLength: 60, OnFace: true, Example: "城镇住宅用地/住宅"},
			{Code: "MJ", Name: "面积", NameEN: "Area", Class: ClassPersonal, Type: TypeText, Required: true, MaxLength: 80, OnFace: true, Disclose: true, Example: "共有宗地面积12000.00㎡/房屋建筑面积118.50㎡"},
			{Code: "SYQX", Name: "使用期限", NameEN: "Term of use", Class: ClassInternal, Type: TypeText, MaxLength: 120, OnFace: true, Example: "国有建设用地使用权 2020年05月01日起2090年04月30日止"},
			{Code: "QLQTZK", Name: "权利其他状况", NameEN: "Further particulars", Class: ClassPersonal, Type: TypeText, MaxLength: 300, Multiline: true, OnFace: true, Example: "房屋结构:钢筋混凝土;总层数:18层;所在层:6层;竣工时间:2021年"},
		},
	}
}

func sampleBirth() Kind {
	return Kind{
		Code: SampleBirth, Number: 4, Version: 1, Name: "出生医学证明", NameEN: "Birth certificate",
		DefiningOffice: SampleDefiner, DefiningName: sampleDefinerName, Layout: "birth",
		SealRule: SealRule{sampleSealOfLicense, sampleStandard},
		Holders:  HolderRule{Min: 1, Max: 1, Types: []string{TypeCitizen}, Guardians: 2},
		Photo:    PhotoNone, Validity: ValidityRule{Mode: ValidityOpen}, RevokeReasons: sampleReasons(),
		Fields: []FieldSpec{
			{Code: "XB", Name: "性别", NameEN: "Sex", Class: ClassSensitive, Type: TypeChoice, Required: true, Choices: []string{"男", "女"}, OnFace: true, Disclose: true, Example: "女"},
			{Code: "CSRQ", Name: "出生日期", NameEN: "Date of birth", Class: ClassSensitive, Type: TypeDate, Required: true, OnFace: true, Disclose: true, Example: "2026-05-20"},
			{Code: "CSSJ", Name: "出生时间", NameEN: "Time of birth", Class: ClassSensitive, Type: TypeText, Required: true, Pattern: `([01][0-9]|2[0-3]):[0-5][0-9]`, MaxLength: 5, OnFace: true, Example: "08:30"},
			{Code: "CSYZ", Name: "出生孕周", NameEN: "Weeks of gestation", Class: ClassSensitive, Type: TypeNumber, Required: true, MaxLength: 2, Pattern: `[2-4][0-9]`, OnFace: true, Example: "39"},
			{Code: "CSTZ", Name: "出生体重(克)", NameEN: "Weight at birth (g)", Class: ClassSensitive, Type: TypeNumber, Required: true, MaxLength: 4, OnFace: true, Example: "3200"},
			{Code: "CSSC", Name: "出生身长(厘米)", NameEN: "Length at birth (cm)", Class: ClassSensitive, Type: TypeNumber, Required: true, MaxLength: 3, OnFace: true, Example: "50"},
			{Code: "CSDD", Name: "出生地点", NameEN: "Place of birth", Class: ClassSensitive, Type: TypeText, Required: true, MaxLength: 80, OnFace: true, Disclose: true, Example: "示例省示例市样本区"},
			{Code: "JSJG", Name: "接生机构", NameEN: "Hospital", Class: ClassSensitive, Type: TypeText, Required: true, MaxLength: 60, OnFace: true, Example: "示例市妇幼保健院"},
			{Code: "MQXM", Name: "母亲姓名", NameEN: "Mother", Class: ClassSensitive, Type: TypeText, Required: true, MaxLength: 50, OnFace: true, Example: "孙试样"},
			{Code: "MQZJHM", Name: "母亲公民身份号码", NameEN: "Mother's citizen number", Class: ClassSensitive, Type: TypeText, Required: true, MaxLength: 18, Pattern: `[0-9]{17}[0-9X]`, OnFace: true, Example: "990101199001010027"},
			{Code: "FQXM", Name: "父亲姓名", NameEN: "Father", Class: ClassSensitive, Type: TypeText, MaxLength: 50, OnFace: true, Example: "李试样"},
			{Code: "FQZJHM", Name: "父亲公民身份号码", NameEN: "Father's citizen number", Class: ClassSensitive, Type: TypeText, MaxLength: 18, Pattern: `[0-9]{17}[0-9X]`, OnFace: true, Example: "990101199001010019"},
		},
	}
}
