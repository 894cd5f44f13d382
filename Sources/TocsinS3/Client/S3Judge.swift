public import TocsinCore

/// Which failures waiting can help, which a correction, which only a person; and what to tell that person.
struct S3Judge {
    var request: S3Request
    var situation: S3Client.Situation
    var settings: S3Settings
    var address: S3Address
    /// By our own clock.
    var now: Timestamp

    /// Requests are refused from 15 minutes on (AWS, "Signing and authenticating REST requests").
    private static let toleratedSkew = 15.0 * 60

    func verdict(on reply: S3ErrorReply) -> S3Verdict {
        if let offset = skew(reply) {
            return .clock(
                offset,
                error(
                    "the time of the request was refused: \(Self.clockText(offset))", reply,
                    remedy: "set the clock of this machine (NTP)"))
        }
        switch reply.code {
        case "SlowDown", "InternalError", "ServiceUnavailable", "Busy", "Throttling", "ThrottlingException",
            "TooManyRequests", "RequestLimitExceeded", "OperationAborted", "RequestTimeout", "BadDigest",
            "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "IncompleteBody", "XMinioServerNotInitialized":
            return again(reply)
        case "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "SignatureDoesNotMatch":
            return .keys(keys(reply))
        case "XMinioStorageFull", "InsufficientStorage", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded",
            "InsufficientCapacity":
            return .fail(
                error("the service is full", reply, remedy: "free space there", isRetriable: true))
        case "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect",
            "TemporaryRedirect", "Redirect":
            return elsewhere(reply)
        case "NoSuchBucket":
            return .fail(noBucket(reply))
        case "NoSuchUpload":
            return .fail(error("the upload is no longer known there", reply, isRetriable: true))
        default: return verdict(byStatus: reply)
        }
    }

    func verdict(on failure: XMLError) -> S3Verdict {
        .again(
            TocsinError(
                .network, "the service's answer cannot be read: \(failure)", place: place,
                remedy: "is that an S3 service?", isRetriable: true, cause: failure), asked: nil)
    }

    private func verdict(byStatus reply: S3ErrorReply) -> S3Verdict {
        switch reply.status {
        case 300..<400: return elsewhere(reply)
        case 403, 401:
            let needed = request.purpose.rights
            return .keys(
                error(
                    "access key \(situation.credentials.accessKey.printable) may not \(request.purpose.rawValue) there",
                    reply, remedy: "grant \(needed) for it, or use another key"))
        case 404 where request.key == nil: return .fail(noBucket(reply))
        case 404: return .fail(error("there is no such object", reply))
        case 507: return .fail(error("the service is full", reply, remedy: "free space there", isRetriable: true))
        case 408, 425, 429, 500, 502, 503, 504, 509, 529: return again(reply)
        default: return .fail(error("the service refuses the request", reply))
        }
    }

    private func again(_ reply: S3ErrorReply) -> S3Verdict {
        let isBusy = reply.status == 503 || reply.status == 429
        let message = isBusy ? "the service is too busy" : "the service failed"
        return .again(error(message, reply, isRetriable: true), asked: reply.retryAfter)
    }

    /// Nil where the time was not the cause.
    private func skew(_ reply: S3ErrorReply) -> Span64? {
        guard let theirs = reply.serverTime else { return nil }
        let isNamed = reply.code == "RequestTimeTooSkewed" || reply.code == "RequestExpired"
        // A refused HEAD has no body, and some services name another cause.
        let isPossible = reply.status == 403 && abs(theirs.since(situation.time).seconds) > Self.toleratedSkew
        return isNamed || isPossible ? theirs.since(now) : nil
    }

    private func elsewhere(_ reply: S3ErrorReply) -> S3Verdict {
        let region = reply.region ?? reply.endpoint.flatMap(S3Address.region(inAmazonHost:))
        let place = region.map { "in region \($0.printable)" } ?? reply.endpoint.map { "at \($0.printable)" }
        let failure = error(
            "the bucket \(settings.bucket) is \(place ?? "elsewhere")", reply,
            remedy: "set lake.s3.region (AWS_REGION) and lake.s3.endpoint (AWS_ENDPOINT_URL)")
        guard let region, !region.isEmpty, region != situation.region, region.utf8.count < 64,
            region.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") })
        else { return .fail(failure) }
        return .region(region, failure)
    }

    private func keys(_ reply: S3ErrorReply) -> TocsinError {
        let key = situation.credentials.accessKey.printable
        switch reply.code {
        case "SignatureDoesNotMatch":
            return error(
                "the secret key does not belong to access key \(key)", reply,
                remedy: "check lake.s3.secretKey (AWS_SECRET_ACCESS_KEY) and the region")
        case "InvalidAccessKeyId":
            return error(
                "access key \(key) is not known there", reply, remedy: "check lake.s3.accessKey (AWS_ACCESS_KEY_ID)")
        default:
            return error(
                "the temporary keys of access key \(key) have expired", reply,
                remedy: "renew them; a credentials file is read again by itself")
        }
    }

    private func noBucket(_ reply: S3ErrorReply) -> TocsinError {
        error(
            "there is no bucket \(settings.bucket)", reply, remedy: "create it, or name another in lake.location")
    }

    func error(
        _ message: String, _ reply: S3ErrorReply, remedy: String? = nil, isRetriable: Bool = false
    ) -> TocsinError {
        TocsinError(
            .objectStorage, message, place: place, remedy: remedy, isRetriable: isRetriable, cause: reply)
    }

    /// `s3://bucket/key at http://127.0.0.1:9000`
    var place: String {
        let object = request.key.map { "s3://\(settings.bucket)/\($0.printable)" } ?? "s3://\(settings.bucket)"
        return "\(object) at \(address.service(region: situation.region))"
    }

    /// "this machine's clock is 26 min behind the service's"
    static func clockText(_ offset: Span64) -> String {
        let seconds = abs(offset.seconds).rounded()
        guard seconds >= 1 else {
            return "this machine's clock agrees with the answer's, so another one there is wrong"
        }
        let amount =
            seconds < 120
            ? "\(Int(seconds)) s"
            : seconds < 7200 ? "\(Int((seconds / 60).rounded())) min" : "\(Int((seconds / 3600).rounded())) h"
        return "this machine's clock is \(amount) \(offset.nanoseconds > 0 ? "behind" : "ahead of") the service's"
    }
}

extension TocsinError.Code {
    /// A service of objects that refuses, or an object that is not there.
    public static let objectStorage = TocsinError.Code("objectStorage")
}
