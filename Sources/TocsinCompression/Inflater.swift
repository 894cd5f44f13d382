internal import CZlib

/// Unpacks gzip (RFC 1952), several members one after the other included, or zlib (RFC 1950), from bytes that come in
/// any pieces.
///
/// Not thread-safe: one reader.
public final class Inflater {
    public enum Form: Sendable { case gzip, zlib }

    // zlib keeps a pointer to the stream, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private var input: [UInt8] = []
    private var consumed = 0
    /// The last output was filled to the brim: zlib may hold more of it.
    private var holdsOutput = false
    private var isBehindGarbage = false
    /// True where the input may end: a member, checksum and all, is complete.
    public private(set) var isComplete = false

    private let form: Form

    public init?(_ form: Form = .gzip) {
        self.form = form
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 16: gzip only.
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, (form == .gzip ? 16 : 0) + MAX_WBITS, ZLIB_VERSION, size) == Z_OK else {
            return nil
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    public var needsInput: Bool { consumed == input.count && !holdsOutput }

    public func feed(_ bytes: [UInt8]) {
        input = bytes
        consumed = 0
    }

    /// Unpacks what is there into `output` and returns the count of bytes.
    /// - Parameter damage: set to zlib's reason where the input is no gzip; what came before it is in `output`.
    public func unpack(into output: UnsafeMutableBufferPointer<UInt8>, damage: inout String?) -> Int {
        var count = 0
        while count < output.count, damage == nil, !needsInput {
            if isComplete, !startMember() { break }
            count += step(UnsafeMutableBufferPointer(rebasing: output[count...]), &damage)
        }
        return count
    }

    private func step(_ output: UnsafeMutableBufferPointer<UInt8>, _ damage: inout String?) -> Int {
        let available = input.count - consumed
        var state = Z_OK
        input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress.map { $0 + consumed }
            stream.pointee.avail_in = UInt32(clamping: available)
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = UInt32(clamping: output.count)
            state = inflate(stream, Z_NO_FLUSH)
        }
        consumed += available - Int(stream.pointee.avail_in)
        holdsOutput = stream.pointee.avail_out == 0 && state == Z_OK
        switch state {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: isComplete = true
        default: damage = stream.pointee.msg.map { String(cString: $0) } ?? "error \(state)"
        }
        return output.count - Int(stream.pointee.avail_out)
    }

    /// Whatever follows a member and is none itself (often zeroes that fill a tape block) is ignored, as gzip does.
    private func startMember() -> Bool {
        guard consumed < input.count else { return false }
        if isBehindGarbage || form == .zlib || input[consumed] != 0x1f {
            isBehindGarbage = true
            consumed = input.count
            return false
        }
        isComplete = false
        return inflateReset(stream) == Z_OK
    }
}
