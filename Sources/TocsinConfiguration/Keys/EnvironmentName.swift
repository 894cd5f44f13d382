internal import Configuration

/// The environment variable of a key, as the environment provider itself derives it:
/// `server.maxBodyBytes` is `SERVER_MAX_BODY_BYTES`, `sources.0.kind` is `SOURCES_0_KIND`.
enum EnvironmentName {
    static func of(_ key: String) -> String {
        let components = key.split(separator: ".").map(String.init)
        let found = try? provider.value(forKey: AbsoluteConfigKey(components), type: .string)
        return found?.encodedKey ?? ""
    }

    private static let provider = EnvironmentVariablesProvider(environmentVariables: [:])
}
