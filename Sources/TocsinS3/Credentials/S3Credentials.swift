/// An access key with its secret; a description shows neither secret nor token.
public struct S3Credentials: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    public var accessKey: String
    public var secretKey: String
    /// Of temporary keys.
    public var sessionToken: String?

    public init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }

    public var description: String { "access key \(accessKey)" }
    public var customMirror: Mirror { Mirror(self, children: ["accessKey": accessKey]) }
}
