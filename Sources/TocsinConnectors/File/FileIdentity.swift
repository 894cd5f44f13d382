#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The file itself, whatever its name: which one a path leads to, whatever links and detours it takes. A new file of
/// the same name has another.
public struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    /// The file's number on its device (inode).
    let number: UInt64

    init(device: UInt64, number: UInt64) {
        self.device = device
        self.number = number
    }

    /// - Parameter path: `-` is standard input.
    /// - Returns: nil where there is no such file, and for pipes and devices, which hold nothing to lose.
    public init?(path: String) {
        let status = path == "-" ? FileStatus(descriptor: STDIN_FILENO) : FileStatus(path: path)
        guard let status, status.isRegular else { return nil }
        self = status.identity
    }
}
