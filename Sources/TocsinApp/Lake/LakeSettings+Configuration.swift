#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinLake
internal import TocsinS3

extension DuckDBSettings {
    /// - Parameter s3: access to the bucket where the lake is in one.
    init(_ configuration: TocsinConfiguration, s3: DuckDBS3Settings?) {
        let lake = configuration.lake
        self.init(
            libraryPath: lake.library, searchFolders: ProgramFolders.aroundProgram(),
            memoryLimitBytes: Int64(lake.memory), threads: lake.threads == 0 ? nil : lake.threads,
            temporaryFolder: configuration.lakeStatePath + "/duckdb", s3: s3)
    }
}

extension S3Settings {
    /// A place in the service that the lake's keys name.
    init(_ configuration: TocsinConfiguration, location: String) throws {
        let given = configuration.lake.s3
        try self.init(location: location)
        endpoint = given.endpoint
        region = given.region
        addressing =
            switch given.pathStyle {
            case .auto: .auto
            case .path: .path
            case .virtual: .virtual
            }
        if let accessKey = given.accessKey, let secretKey = given.secretKey {
            credentials = S3Credentials(
                accessKey: accessKey.value, secretKey: secretKey.value, sessionToken: given.sessionToken?.value)
        }
        if let file = given.credentialsFile { credentialsFile = file }
        profile = given.profile
        certificateFile = given.certificate
    }
}

extension DuckDBS3Settings {
    /// The same service, as DuckDB is told of it.
    init(_ settings: S3Settings, _ storage: S3Storage) throws {
        let keys = try storage.credentials()
        let address = settings.endpoint
        let host = address.map {
            $0.replacing("https://", with: "").replacing("http://", with: "").prefix { $0 != "/" }
        }
        let isInPath =
            switch settings.addressing {
            case .auto: address != nil
            case .path: true
            case .virtual: false
            }
        self.init(
            endpoint: host.map(String.init), region: storage.region, key: keys.accessKey, secret: keys.secretKey,
            sessionToken: keys.sessionToken, usesTLS: !(address?.hasPrefix("http://") ?? false),
            urlStyle: isInPath ? .path : .virtual)
    }
}

/// Where libraries may lie that came with the program.
public enum ProgramFolders {
    /// `venv` and `duckdb` in the program's folder and the four above it, then those of an installed package.
    public static func aroundProgram() -> [String] {
        var folders: [String] = []
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        if length > 0 {
            var folder = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            for _ in 0..<5 {
                guard let slash = folder.lastIndex(of: "/"), slash > folder.startIndex else { break }
                folder = String(folder[..<slash])
                folders += [folder + "/venv", folder + "/duckdb"]
            }
        }
        return folders + ["/usr/lib/tocsin", "/opt/tocsin"]
    }
}
