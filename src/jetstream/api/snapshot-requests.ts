import { isLiteralSubject, isProtocolToken } from "../../protocol/subject.ts";
import { apiError } from "../errors.ts";
import { decodeRequest, isEmptyRequest } from "../json/decode.ts";
import { writeText } from "../json/scalars.ts";
import { RestoreSession } from "../snapshot/restore-session.ts";
import { checkReadable, SnapshotSession } from "../snapshot/snapshot-session.ts";
import { streamConfig } from "../stream/config.ts";
import { streamState } from "../stream/state.ts";
import { restoreRequest, snapshotRequest } from "./requests.ts";
import type { StreamRequest } from "./stream-requests.ts";
import type { ApiRequestName } from "./subject.ts";

/** The requests about snapshots: each begins a transfer that goes on behind the answer. @throws ApiError, RequestJsonError */
export const SNAPSHOT_REQUESTS: Readonly<Partial<Record<ApiRequestName, StreamRequest>>> = {
  "STREAM.SNAPSHOT": async (request, { strict, clientInfo }) => {
    const { address, body, account } = request;
    if (isEmptyRequest(body)) throw apiError(10003);
    const stream = account.stream(address.stream);
    const wanted = decodeRequest(snapshotRequest, body, strict);
    const { deliverSubject: deliver } = wanted;
    if (!isProtocolToken(deliver) || !isLiteralSubject(deliver)) throw apiError(10015);
    // What is not on disk yet may come to nothing: nobody is to see it.
    await stream.settled()?.catch(() => {});
    if (wanted.jsck) await checkReadable(stream);
    const session = new SnapshotSession(stream, wanted, clientInfo(request.from));
    // Chunks come behind the answer, which goes out once this has returned.
    account.context.clock.after(0, () => session.run());
    return `"config":${streamConfig.write(stream.config)},"state":${streamState.write(session.stateInfo)}`;
  },
  "STREAM.RESTORE": async (request, { strict, clientInfo }) => {
    const { address, body, account } = request;
    if (isEmptyRequest(body)) throw apiError(10003);
    const { config } = decodeRequest(restoreRequest, body, strict);
    const restoration = account.restore(address.stream, config);
    const session = await RestoreSession.start(restoration, clientInfo(request.from));
    return `"deliver_subject":${writeText(session.subject)}`;
  },
};
