/// The file that AWS's tools share: sections in brackets, `name = value` below, comments behind `#` and `;`.
public enum CredentialsFile {
    /// The keys of a section `[profile]` (or `[profile profile]`); nil where there are none.
    public static func credentials(of profile: String, in text: String) -> S3Credentials? {
        var isInside = false
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmed
            guard let first = line.first, first != "#", first != ";" else { continue }
            if first == "[" {
                let title = line.dropFirst().prefix { $0 != "]" }.trimmed
                isInside = title == profile || title == "profile \(profile)"
            } else if isInside, let equals = line.firstIndex(of: "=") {
                values[line[..<equals].trimmed.lowercased()] = String(line[line.index(after: equals)...].trimmed)
            }
        }
        guard let accessKey = values["aws_access_key_id"], let secretKey = values["aws_secret_access_key"],
            !accessKey.isEmpty, !secretKey.isEmpty
        else { return nil }
        let token = values["aws_session_token"].flatMap { $0.isEmpty ? nil : $0 }
        return S3Credentials(accessKey: accessKey, secretKey: secretKey, sessionToken: token)
    }
}

extension Substring {
    /// Without spaces and tabs at its ends.
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
