#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
package import TocsinCore

/// A TCP connection that never blocks; closed when the last user lets go.
package final class ClientSocket {
    package let descriptor: Int32

    package enum Transfer {
        case bytes(Int)
        /// Nothing at the moment.
        case wait
        /// The peer has closed it, or it is broken.
        case closed
    }

    /// - Throws: `TocsinError(.network)` when nobody listens there.
    package init(to address: HTTPAddress) throws(TocsinError) {
        var hints = addrinfo()
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(address.host, String(address.port), &hints, &list)
        guard result == 0 else { throw Self.failure(String(cString: gai_strerror(result)), address) }
        defer { freeaddrinfo(list) }
        var entry = list
        while let candidate = entry?.pointee {
            let made = socket(candidate.ai_family, candidate.ai_socktype, candidate.ai_protocol)
            if made >= 0 {
                if connect(made, candidate.ai_addr, candidate.ai_addrlen) == 0 {
                    descriptor = made
                    prepare()
                    return
                }
                close(made)
            }
            entry = candidate.ai_next
        }
        throw Self.failure(String(cString: strerror(errno)), address)
    }

    /// A connection that somebody else has opened.
    fileprivate init(accepted descriptor: Int32) {
        self.descriptor = descriptor
        prepare()
    }

    deinit { close(descriptor) }

    /// Small requests leave at once, and no call waits.
    private func prepare() {
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        signal(SIGPIPE, SIG_IGN)
    }

    package func send(_ bytes: ArraySlice<UInt8>) -> Transfer {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        return Self.transfer(count)
    }

    /// Reads into the buffer from its start.
    package func receive(into buffer: inout [UInt8]) -> Transfer {
        let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        return count == 0 ? .closed : Self.transfer(count)
    }

    private static func transfer(_ count: Int) -> Transfer {
        if count >= 0 { return .bytes(count) }
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? .wait : .closed
    }

    private static func failure(_ reason: String, _ address: HTTPAddress) -> TocsinError {
        TocsinError(
            .network, "cannot connect: \(reason)", place: "http://\(address.authority)",
            remedy: "is the server running there?")
    }
}

/// A port of this machine's own address that never blocks; closed when the last user lets go.
package final class ListeningSocket {
    package let descriptor: Int32
    package let port: UInt16

    /// Any free port.
    /// - Throws: `TocsinError(.network)` when there is none.
    package init() throws(TocsinError) {
        #if canImport(Glibc)
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let made = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(made, $0, length) == 0 && listen(made, 128) == 0 && getsockname(made, $0, &length) == 0
            }
        }
        guard made >= 0, isOpen else {
            let reason = String(cString: strerror(errno))
            if made >= 0 { close(made) }
            throw TocsinError(.network, "cannot listen: \(reason)", place: "127.0.0.1")
        }
        _ = fcntl(made, F_SETFL, fcntl(made, F_GETFL) | O_NONBLOCK)
        _ = fcntl(made, F_SETFD, FD_CLOEXEC)
        descriptor = made
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }

    /// The next connection; nil when nobody waits.
    package func next() -> ClientSocket? {
        let made = accept(descriptor, nil, nil)
        return made >= 0 ? ClientSocket(accepted: made) : nil
    }
}

/// Waits until one of several connections can go on.
package struct Readiness {
    private var entries: [pollfd] = []

    package init() {}

    package mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    /// The order of calls numbers the connections.
    package mutating func add(_ socket: ClientSocket, isWriting: Bool) {
        entries.append(
            pollfd(fd: socket.descriptor, events: Int16(isWriting ? POLLIN | POLLOUT : POLLIN), revents: 0))
    }

    package mutating func add(_ socket: ListeningSocket) {
        entries.append(pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0))
    }

    /// Returns when one is ready or the time is over.
    /// - Parameter nanoseconds: at most so long; below zero counts as zero.
    package mutating func wait(nanoseconds: Int64) {
        // poll(2) counts in milliseconds: what is less is slept in small steps between two looks.
        let milliseconds = max(0, nanoseconds) / 1_000_000
        if milliseconds == 0, nanoseconds > 0 { usleep(UInt32(min(nanoseconds / 1000, Self.stepMicroseconds))) }
        _ = poll(&entries, nfds_t(entries.count), Int32(clamping: milliseconds))
    }

    private static let stepMicroseconds: Int64 = 150

    package func canRead(_ number: Int) -> Bool { entries[number].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 }
    package func canWrite(_ number: Int) -> Bool { entries[number].revents & Int16(POLLOUT) != 0 }
}
