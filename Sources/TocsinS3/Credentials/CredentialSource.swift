#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import Synchronization
internal import TocsinCore

/// The keys of the settings, or those of a file as it stands now: temporary keys are replaced there every hour.
final class CredentialSource: Sendable {
    private struct Stamp: Equatable {
        var file: UInt64
        var seconds: Int
        var nanoseconds: Int
        var bytes: Int64
    }

    private let given: S3Credentials?
    private let path: String
    private let profile: String
    private let known = Mutex<(stamp: Stamp, credentials: S3Credentials)?>(nil)

    init(_ settings: S3Settings) {
        given = settings.credentials
        profile = settings.profile
        path = Self.expanded(settings.credentialsFile)
    }

    /// About 2 µs while the file stays as it is.
    func current() throws -> S3Credentials {
        if let given { return given }
        return try known.withLock { known in
            guard let stamp = stamp() else {
                // A file that is being replaced is away for a moment.
                if let known { return known.credentials }
                throw TocsinError(
                    .configuration, "there are no keys for S3", place: path,
                    remedy: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write the file")
            }
            if let known, known.stamp == stamp { return known.credentials }
            guard let text = contents(), let found = CredentialsFile.credentials(of: profile, in: text) else {
                if let known { return known.credentials }
                throw TocsinError(
                    .configuration, "no keys stand below [\(profile)]", place: path,
                    remedy: "write aws_access_key_id and aws_secret_access_key there, or name another profile")
            }
            known = (stamp, found)
            return found
        }
    }

    private func stamp() -> Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Stamp(
            file: UInt64(status.st_ino), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec,
            bytes: Int64(status.st_size))
    }

    private func contents() -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        var length = 0
        while length < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress.map { $0 + length }, buffer.count - length)
            }
            guard count > 0 else { break }
            length += count
        }
        return String(decoding: bytes[..<length], as: UTF8.self)
    }

    private static func expanded(_ path: String) -> String {
        guard path.hasPrefix("~/"), let home = getenv("HOME") else { return path }
        return String(cString: home) + path.dropFirst(1)
    }
}
