/** The numbers in the subject of an acknowledgement; one object is used for all. A number that cannot be read is Infinity. */
export interface AckNumbers {
  deliveries: number;
  streamSeq: number;
  consumerSeq: number;
}

const DOT = 46;

/** Reads the numbers of a subject without taking it apart. @param start - where they begin, behind the consumer's name. */
export function readAckNumbers(subject: string, start: number, into: AckNumbers): void {
  let at = start;
  let value = 0;
  let field = 0;
  for (; field < 3 && at < subject.length; at++) {
    const code = subject.charCodeAt(at);
    if (code === DOT) {
      if (at === start) value = Infinity;
      if (field === 0) into.deliveries = value;
      else if (field === 1) into.streamSeq = value;
      else into.consumerSeq = value;
      field += 1;
      value = subject.charCodeAt(at + 1) === DOT ? Infinity : 0;
    } else if (code >= 48 && code <= 57) value = value * 10 + (code - 48);
    else value = Infinity;
  }
}
