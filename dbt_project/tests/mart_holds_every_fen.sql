-- Accounting identity: nothing is lost or counted twice between the orders and the mart.
with mart as (
    select sum(value_fen) as fen, sum(orders) as orders from {{ ref('store_days') }}
),

source_orders as (
    select sum(amount_fen) as fen, count(*) as orders from {{ ref('stg_orders') }}
)

select 1 as wrong
from mart, source_orders
where coalesce(mart.fen, 0) <> coalesce(source_orders.fen, 0) or coalesce(mart.orders, 0) <> source_orders.orders
